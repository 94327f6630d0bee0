/* @name@ with pins for place-and-route: pixels come in, classes go out. */
module chip (
    input clk,
    input reset,
    input [7:0] pixel,
    input pixel_valid,
    output pixel_ready,
    output answered,
    output [@CLASS_BITS@-1:0] answer,
    output none
);
    @name@ network (
        .clk(clk),
        .reset(reset),
        .pixel(pixel),
        .pixel_valid(pixel_valid),
        .pixel_ready(pixel_ready),
        .spike(),
        .spike_position(),
        .spike_neuron(),
        .spike_step(),
        .answered(answered),
        .answer(answer),
        .none(none)
    );
endmodule
