/*
 * A neuron without leak. What it keeps is its potential less its threshold, so that the sign says whether it
 * spikes. Weights of the inputs of a step are summed up exactly; then their sum is added, once.
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
    input [WEIGHT_BITS-1:0] weight,
    input integrate,
    output reg signed [ABOVE_BITS-1:0] above,
    output reached
);
    reg signed [SUM_BITS-1:0] sum;
    wire sign = (WEIGHTS_SIGNED != 0) & weight[WEIGHT_BITS-1];
    wire signed [WEIGHT_BITS:0] signed_weight = {sign, weight};

    wire signed [ABOVE_BITS-1:0] next;
    generate
        if (SHIFT >= 0) begin : coarser_weights
            wire signed [ABOVE_BITS-1:0] wide = sum;
            assign next = above + (wide <<< SHIFT);
        end else begin : finer_weights
            wire signed [SUM_BITS-1:0] scaled = sum >>> -SHIFT;
            assign next = above + scaled;
        end
    endgenerate

    assign reached = ~above[ABOVE_BITS-1];

    always @(posedge clk) begin
        if (start) begin
            above <= REST;
            sum <= 0;
        end else if (integrate) begin
            above <= (CUT != 0 && next > HIGHEST) ? HIGHEST : (CUT != 0 && next < LOWEST) ? LOWEST : next;
            sum <= 0;
        end else if (add) begin
            sum <= sum + signed_weight;
        end
    end
endmodule
