/*
 * From output spikes to a class: each spike adds its row of the table, an entry for each class, to the scores.
 * So nothing is counted, and nothing multiplied.
 */
module fspinn_readout #(
    parameter FEATURES = 1,
    parameter FEATURE_BITS = 1,
    parameter CLASSES = 1,
    parameter CLASS_BITS = 1,
    parameter ENTRY_BITS = 1,
    parameter ENTRIES_SIGNED = 0,
    parameter SCORE_BITS = 2,
    parameter [CLASSES*SCORE_BITS-1:0] BIASES = 0,
    parameter REJECT = 0,         // the best class leads by so many steps, or there is no answer
    parameter SILENCE_ANSWERS = 0, // whether there is an answer without a spike
    parameter TABLE_FILE = ""
) (
    input clk,
    input start,
    input spike,
    input [FEATURE_BITS-1:0] feature,
    input finish, // after the last spike, until there is an answer
    output reg answered,
    output reg [CLASS_BITS-1:0] answer,
    output none
);
    localparam [CLASS_BITS-1:0] LAST = CLASSES - 1;

    (* rom_style = "block" *)
    reg [CLASSES*ENTRY_BITS-1:0] rows [0:FEATURES-1];
    reg [CLASSES*ENTRY_BITS-1:0] row;
    reg adding;
    initial $readmemh(TABLE_FILE, rows);
    always @(posedge clk) begin
        row <= rows[feature];
        adding <= spike;
    end

    reg [CLASSES*SCORE_BITS-1:0] scores;
    wire [CLASSES*SCORE_BITS-1:0] raised;
    genvar c;
    generate
        for (c = 0; c < CLASSES; c = c + 1) begin : of_class
            wire [ENTRY_BITS-1:0] entry = row[c*ENTRY_BITS +: ENTRY_BITS];
            wire sign = (ENTRIES_SIGNED != 0) & entry[ENTRY_BITS-1];
            wire [SCORE_BITS+ENTRY_BITS-1:0] longer = {{SCORE_BITS{sign}}, entry};
            assign raised[c*SCORE_BITS +: SCORE_BITS] =
                scores[c*SCORE_BITS +: SCORE_BITS] + longer[SCORE_BITS-1:0];
        end
    endgenerate

    // One class after the other comes to the lowest place.
    reg [CLASS_BITS-1:0] next_class;
    reg signed [SCORE_BITS-1:0] best, second;
    reg spiked;
    wire signed [SCORE_BITS-1:0] score = scores[SCORE_BITS-1:0];
    wire signed [SCORE_BITS:0] lead = best - second;
    assign none = (REJECT > 0) ? lead < REJECT : (SILENCE_ANSWERS == 0) & ~spiked;

    always @(posedge clk) begin
        answered <= 0;
        if (start) begin
            scores <= BIASES;
            next_class <= 0;
            spiked <= 0;
        end else if (adding) begin
            scores <= raised;
            spiked <= 1;
        end else if (finish & ~answered) begin
            scores <= scores >> SCORE_BITS;
            next_class <= next_class + 1'b1;
            answered <= next_class == LAST;
            if (next_class == 0 || score > best) begin
                answer <= next_class;
                best <= score;
                second <= best;
            end else if (next_class == 1 || score > second) begin
                second <= score;
            end
        end
    end
endmodule
