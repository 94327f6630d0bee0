/* Which bit is the lowest one that is set, and which others are? */
module fspinn_lowest #(
    parameter BITS = 1,
    parameter INDEX_BITS = 1
) (
    input [BITS-1:0] set,
    output [BITS-1:0] others,
    output reg [INDEX_BITS-1:0] index
);
    assign others = set & (set - 1'b1);
    wire [BITS-1:0] only = set & ~others;

    integer i, b;
    always @* begin
        index = 0;
        for (i = 0; i < BITS; i = i + 1) begin
            for (b = 0; b < INDEX_BITS; b = b + 1) begin
                index[b] = index[b] | (only[i] & i[b]);
            end
        end
    end
endmodule
