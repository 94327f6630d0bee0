/*
 * A neuron without leak. What it keeps is its potential less its threshold, so that the sign says whether it
 * spikes. One weight is added in a cycle; with the last one of a step, the step is integrated.
 */
module fspinn_neuron #(
    parameter WEIGHT_BITS = 1,
    parameter WEIGHTS_SIGNED = 0,
    parameter SUM_BITS = 2,
    parameter SHIFT = 0, // fraction bits of potentials less those of weights
    parameter ABOVE_BITS = 2,
    parameter signed [ABOVE_BITS-1:0] REST = 0,
    parameter CUT = 0, // whether potentials can leave their format
    parameter signed [ABOVE_BITS-1:0] LOWEST = 0,
    parameter signed [ABOVE_BITS-1:0] HIGHEST = 0
) (
    input clk,
    input start,
    input add,
    input integrate,
    input [WEIGHT_BITS-1:0] weight,
    output reg signed [ABOVE_BITS-1:0] above,
    output reached
);
    wire sign = (WEIGHTS_SIGNED != 0) & weight[WEIGHT_BITS-1];

    assign reached = ~above[ABOVE_BITS-1];

    generate
        if (SHIFT >= 0 && CUT == 0) begin : exact
            wire [ABOVE_BITS+WEIGHT_BITS-1:0] longer = {{ABOVE_BITS{sign}}, weight};
            wire signed [ABOVE_BITS-1:0] wide = longer[ABOVE_BITS-1:0];
            always @(posedge clk) begin
                if (start) begin
                    above <= REST;
                end else if (add) begin
                    above <= above + (wide <<< SHIFT);
                end
            end
        end else begin : rounded
            // Weights of a step are summed up exactly; their sum is scaled and added once.
            localparam LEFT = (SHIFT > 0) ? SHIFT : 0;
            localparam RIGHT = (SHIFT < 0) ? -SHIFT : 0;
            reg signed [SUM_BITS-1:0] sum;
            wire [SUM_BITS+WEIGHT_BITS-1:0] longer = {{SUM_BITS{sign}}, weight};
            wire signed [SUM_BITS-1:0] total = sum + longer[SUM_BITS-1:0];
            wire [ABOVE_BITS+RIGHT+SUM_BITS-1:0] wide = {{ABOVE_BITS+RIGHT{total[SUM_BITS-1]}}, total};
            wire signed [ABOVE_BITS-1:0] scaled = wide[RIGHT +: ABOVE_BITS] << LEFT;
            wire signed [ABOVE_BITS-1:0] next = above + scaled;
            always @(posedge clk) begin
                if (start) begin
                    above <= REST;
                    sum <= 0;
                end else if (integrate) begin
                    above <= (CUT != 0 && next > HIGHEST) ? HIGHEST : (CUT != 0 && next < LOWEST) ? LOWEST : next;
                    sum <= 0;
                end else if (add) begin
                    sum <= total;
                end
            end
        end
    endgenerate
endmodule
