/*
 * What the neurons see: the times of first spikes in their field. Pixels come one by one, line by line; the
 * lines above that of the newest one are kept in block RAM, all those of a place in one word.
 */
module fspinn_window #(
    parameter LINE = 1,
    parameter FIELD_LINES = 1,
    parameter FIELD_RUN = 1,
    parameter TIME_BITS = 1,
    parameter PLACE_BITS = 1
) (
    input clk,
    input [PLACE_BITS-1:0] place, // in its line, of the pixel that comes next
    input shift,                  // at the earliest in the second cycle of a place
    input [TIME_BITS-1:0] spike_time,
    output [FIELD_LINES*FIELD_RUN*TIME_BITS-1:0] times
);
    localparam KEPT = (FIELD_LINES > 1) ? FIELD_LINES - 1 : 1;

    reg [KEPT*TIME_BITS-1:0] lines [0:LINE-1];
    reg [KEPT*TIME_BITS-1:0] earlier;
    wire [(KEPT+1)*TIME_BITS-1:0] strip = {earlier, spike_time}; // the newest line is lowest

    always @(posedge clk) begin
        if (shift) begin
            lines[place] <= strip[KEPT*TIME_BITS-1:0];
        end else begin
            earlier <= lines[place];
        end
    end

    genvar line;
    generate
        for (line = 0; line < FIELD_LINES; line = line + 1) begin : in_line
            reg [FIELD_RUN*TIME_BITS-1:0] run;
            wire [TIME_BITS-1:0] newest = strip[(FIELD_LINES-1-line)*TIME_BITS +: TIME_BITS];
            wire [(FIELD_RUN+1)*TIME_BITS-1:0] longer = {newest, run};
            always @(posedge clk) begin
                if (shift) begin
                    run <= longer[(FIELD_RUN+1)*TIME_BITS-1:TIME_BITS];
                end
            end
            assign times[line*FIELD_RUN*TIME_BITS +: FIELD_RUN*TIME_BITS] = run;
        end
    endgenerate
endmodule
