/* @name@: a column of fspinn @version@, its numbers; what computes with them is in src/. */
module @name@ #(
    parameter WEIGHTS_FILE = "@name@_weights.hex",
    parameter TABLE_FILE = "@name@_table.hex"
) (
    input clk,
    input reset,
    // Pixels of the sample, line by line, all channels of each.
    input [7:0] pixel,
    input pixel_valid,
    output pixel_ready,
    // An output spike, for one cycle; positions are counted row by row, time steps from 0.
    output spike,
    output [@POSITION_BITS@-1:0] spike_position,
    output [@NEURON_BITS@-1:0] spike_neuron,
    output [@TIME_BITS@-1:0] spike_step,
    // The class, for one cycle; none: there is no answer.
    output answered,
    output [@CLASS_BITS@-1:0] answer,
    output none
);
    fspinn_column #(
@parameters@
        .WEIGHTS_FILE(WEIGHTS_FILE),
        .TABLE_FILE(TABLE_FILE)
    ) column (
        .clk(clk),
        .reset(reset),
        .pixel(pixel),
        .pixel_valid(pixel_valid),
        .pixel_ready(pixel_ready),
        .spike(spike),
        .spike_position(spike_position),
        .spike_neuron(spike_neuron),
        .spike_step(spike_step),
        .answered(answered),
        .answer(answer),
        .none(none)
    );
endmodule
