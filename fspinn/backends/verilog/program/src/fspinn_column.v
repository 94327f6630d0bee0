/*
 * A column without leak at work, on pixels that spike once, whose first output spike ends a position.
 *
 * Pixels come line by line, all channels of each. Once one completes the field of a position, the neurons, all
 * at the same time, see the spikes of its inputs, one in a cycle, in the order of their times; the first neuron
 * that spikes is reported, and speaks for the classes. After the last pixel there is an answer.
 */
module fspinn_column #(
    parameter LINES = 1,
    parameter LINE = 1, // inputs in a line
    parameter CHANNELS = 1,
    parameter FIELD_LINES = 1,
    parameter FIELD_RUN = 1, // inputs of the field in a line
    parameter STRIDE = 1,
    parameter ROWS = 1, // of positions
    parameter COLUMNS = 1,
    parameter CELL_ROWS = 1,
    parameter CELL_COLUMNS = 1,
    parameter STEPS = 1,
    parameter NEURONS = 1,
    parameter WEIGHT_BITS = 1,
    parameter WEIGHTS_SIGNED = 0,
    parameter SUM_BITS = 2,
    parameter SHIFT = 0,
    parameter ABOVE_BITS = 2,
    parameter [NEURONS*ABOVE_BITS-1:0] RESTS = 0, // potentials of 0, less each threshold
    parameter CUT = 0,
    parameter [NEURONS*ABOVE_BITS-1:0] LOWESTS = 0, // the lowest potential, less each threshold
    parameter [NEURONS*ABOVE_BITS-1:0] HIGHESTS = 0,
    parameter CLASSES = 1,
    parameter ENTRY_BITS = 1,
    parameter ENTRIES_SIGNED = 0,
    parameter SCORE_BITS = 2,
    parameter [CLASSES*SCORE_BITS-1:0] BIASES = 0,
    parameter REJECT = 0,
    parameter SILENCE_ANSWERS = 0,
    parameter WEIGHTS_FILE = "",
    parameter TABLE_FILE = "",
    // Of ports.
    parameter POSITION_BITS = 1,
    parameter NEURON_BITS = 1,
    parameter TIME_BITS = 1,
    parameter CLASS_BITS = 1
) (
    input clk,
    input reset,
    input [7:0] pixel,
    input pixel_valid,
    output pixel_ready,
    output spike,
    output reg [POSITION_BITS-1:0] spike_position,
    output [NEURON_BITS-1:0] spike_neuron,
    output reg [TIME_BITS-1:0] spike_step,
    output answered,
    output [CLASS_BITS-1:0] answer,
    output none
);
    localparam INPUTS = FIELD_LINES * FIELD_RUN;
    // How far a feature is from that of the next cell, and of the next row of cells; 0 where there is none.
    localparam [31:0] NEXT_CELL = (CELL_COLUMNS > 1) ? NEURONS : 0;
    localparam [31:0] NEXT_CELL_ROW = (CELL_ROWS > 1) ? CELL_COLUMNS * NEURONS : 0;
    localparam INPUT_BITS = (INPUTS > 1) ? $clog2(INPUTS) : 1;
    localparam PLACE_BITS = (LINE > 1) ? $clog2(LINE) : 1;
    localparam LINE_BITS = (LINES > 1) ? $clog2(LINES) : 1;
    localparam NEXT_COLUMN = STRIDE * CHANNELS;
    localparam WAIT_BITS = $clog2(LINES + LINE + NEXT_COLUMN + STRIDE + 1);
    localparam PART_BITS = $clog2(ROWS + COLUMNS + 1) + 1;
    localparam FEATURES = CELL_ROWS * CELL_COLUMNS * NEURONS;
    localparam FEATURE_BITS = (FEATURES > 1) ? $clog2(FEATURES) : 1;
    localparam [TIME_BITS-1:0] NEVER = STEPS + 1;
    localparam LAST_PLACE = LINE - 1;
    localparam LAST_LINE = LINES - 1;

    localparam TAKE = 0, SHIFT_IN = 1, LOOK = 2, ADD = 3, INTEGRATE = 4, CHOOSE = 5, SEND = 6, ANSWER = 7;
    reg [2:0] state;

    // ---- Input: a spike in the first step is at time 1 ----

    reg [TIME_BITS-1:0] first_spike;
    wire [TIME_BITS+7:0] early = pixel * STEPS;
    assign pixel_ready = state == TAKE;

    always @(posedge clk) begin
        if (pixel_ready) begin
            first_spike <= (pixel == 0) ? NEVER : STEPS - early[TIME_BITS+7:8];
        end
    end

    // ---- Where are we? ----

    reg [PLACE_BITS-1:0] place;
    reg [LINE_BITS-1:0] line;
    reg [WAIT_BITS-1:0] until_column, until_row; // pixels and lines that complete the next position
    reg [PART_BITS-1:0] column_part, row_part;   // of n positions, a is in cell a * cells / n
    reg [FEATURE_BITS-1:0] cell_feature, row_feature;
    wire complete = until_column == 1 && until_row == 1;
    wire line_ends = place == LAST_PLACE[PLACE_BITS-1:0];
    wire sample_ends = line_ends && line == LAST_LINE[LINE_BITS-1:0];
    wire [PART_BITS-1:0] next_column_part = column_part + CELL_COLUMNS;
    wire [PART_BITS-1:0] next_row_part = row_part + CELL_ROWS;
    wire advance, start;

    always @(posedge clk) begin
        if (start) begin
            place <= 0;
            line <= 0;
            until_column <= FIELD_RUN;
            until_row <= FIELD_LINES;
            column_part <= 0;
            row_part <= 0;
            cell_feature <= 0;
            row_feature <= 0;
            spike_position <= 0;
        end else if (advance) begin
            place <= line_ends ? 0 : place + 1'b1;
            until_column <= until_column - 1'b1;
            if (until_column == 1) begin
                until_column <= NEXT_COLUMN;
                if (until_row == 1) begin
                    spike_position <= spike_position + 1'b1;
                    column_part <= next_column_part;
                    if (next_column_part >= COLUMNS) begin
                        column_part <= next_column_part - COLUMNS;
                        cell_feature <= cell_feature + NEXT_CELL[FEATURE_BITS-1:0];
                    end
                end
            end
            if (line_ends) begin
                line <= line + 1'b1;
                until_column <= FIELD_RUN;
                until_row <= until_row - 1'b1;
                column_part <= 0;
                cell_feature <= row_feature;
                if (until_row == 1) begin
                    until_row <= STRIDE;
                    row_part <= next_row_part;
                    if (next_row_part >= ROWS) begin
                        row_part <= next_row_part - ROWS;
                        row_feature <= row_feature + NEXT_CELL_ROW[FEATURE_BITS-1:0];
                        cell_feature <= row_feature + NEXT_CELL_ROW[FEATURE_BITS-1:0];
                    end
                end
            end
        end
    end

    // ---- Which inputs spike now? ----

    wire [INPUTS*TIME_BITS-1:0] times;
    fspinn_window #(
        .LINE(LINE), .FIELD_LINES(FIELD_LINES), .FIELD_RUN(FIELD_RUN), .TIME_BITS(TIME_BITS),
        .PLACE_BITS(PLACE_BITS)
    ) window (
        .clk(clk), .place(place), .shift(state == SHIFT_IN), .spike_time(first_spike), .times(times)
    );

    reg [TIME_BITS-1:0] now;
    wire [INPUTS-1:0] spiking;
    genvar i;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : of_input
            assign spiking[i] = times[i*TIME_BITS +: TIME_BITS] == now;
        end
    endgenerate

    reg [INPUTS-1:0] inputs_left;
    wire [INPUTS-1:0] other_inputs;
    wire [INPUT_BITS-1:0] next_input;
    fspinn_lowest #(.BITS(INPUTS), .INDEX_BITS(INPUT_BITS)) of_inputs (
        .set(inputs_left), .others(other_inputs), .index(next_input)
    );

    // ---- Neurons: the weights of an input, of all of them, are a word ----

    (* rom_style = "block" *)
    reg [NEURONS*WEIGHT_BITS-1:0] words [0:INPUTS-1];
    reg [NEURONS*WEIGHT_BITS-1:0] weights;
    reg add;
    wire ends; // a neuron has reached its threshold: no more is added
    initial $readmemh(WEIGHTS_FILE, words);
    always @(posedge clk) begin
        weights <= words[next_input];
        add <= state == ADD && !ends;
    end

    wire [NEURONS*ABOVE_BITS-1:0] aboves;
    wire [NEURONS-1:0] reached;
    genvar j;
    generate
        for (j = 0; j < NEURONS; j = j + 1) begin : of_neuron
            localparam signed [ABOVE_BITS-1:0] REST = RESTS[j*ABOVE_BITS +: ABOVE_BITS];
            localparam signed [ABOVE_BITS-1:0] LOWEST = LOWESTS[j*ABOVE_BITS +: ABOVE_BITS];
            localparam signed [ABOVE_BITS-1:0] HIGHEST = HIGHESTS[j*ABOVE_BITS +: ABOVE_BITS];
            fspinn_neuron #(
                .WEIGHT_BITS(WEIGHT_BITS), .WEIGHTS_SIGNED(WEIGHTS_SIGNED), .SUM_BITS(SUM_BITS), .SHIFT(SHIFT),
                .ABOVE_BITS(ABOVE_BITS), .REST(REST), .CUT(CUT), .LOWEST(LOWEST), .HIGHEST(HIGHEST)
            ) neuron (
                .clk(clk), .start(state == SHIFT_IN), .add(add), .weight(weights[j*WEIGHT_BITS +: WEIGHT_BITS]),
                .integrate(state == INTEGRATE), .above(aboves[j*ABOVE_BITS +: ABOVE_BITS]), .reached(reached[j])
            );
        end
    endgenerate

    // ---- Of those that have reached their threshold the one furthest above it spikes, of equals the first ----

    // Bit by bit, from the highest: where some of those left have a 1, those without leave.
    localparam TOP = ABOVE_BITS - 2; // the sign of all is 0
    localparam BIT_BITS = (TOP > 0) ? $clog2(TOP + 1) : 1;
    reg [BIT_BITS-1:0] looked_at;
    reg [NEURONS-1:0] neurons_left;
    wire [NEURONS-1:0] further;
    generate
        for (j = 0; j < NEURONS; j = j + 1) begin : of_left
            wire [TOP:0] above = aboves[j*ABOVE_BITS +: TOP + 1];
            assign further[j] = neurons_left[j] & above[looked_at];
        end
    endgenerate
    fspinn_lowest #(.BITS(NEURONS), .INDEX_BITS(NEURON_BITS)) of_neurons (
        .set(neurons_left), .others(), .index(spike_neuron)
    );

    assign spike = state == SEND;
    wire [FEATURE_BITS+NEURON_BITS-1:0] longer = {{FEATURE_BITS{1'b0}}, spike_neuron};

    fspinn_readout #(
        .FEATURES(FEATURES), .FEATURE_BITS(FEATURE_BITS), .CLASSES(CLASSES), .CLASS_BITS(CLASS_BITS),
        .ENTRY_BITS(ENTRY_BITS), .ENTRIES_SIGNED(ENTRIES_SIGNED), .SCORE_BITS(SCORE_BITS), .BIASES(BIASES),
        .REJECT(REJECT), .SILENCE_ANSWERS(SILENCE_ANSWERS), .TABLE_FILE(TABLE_FILE)
    ) readout (
        .clk(clk), .start(start), .spike(spike), .feature(cell_feature + longer[FEATURE_BITS-1:0]),
        .finish(state == ANSWER), .answered(answered), .answer(answer), .none(none)
    );

    // ---- What is next? ----

    // With the last weight of a step on its way, the next step is looked at; whether a neuron has reached its
    // threshold shows a cycle later, when weights of that step may be on their way already.
    reg integrated, passed; // the cycle after that, and whether nothing spikes in that step
    wire no_spike = state == LOOK && now == NEVER && reached == 0;
    assign ends = reached != 0 && ((state == LOOK && now != 1) || (state == ADD && integrated));
    assign advance = (state == SHIFT_IN && !complete) || no_spike || spike;
    assign start = reset || answered;

    always @(posedge clk) begin
        integrated <= state == INTEGRATE;
        passed <= 0;
        case (state)
            TAKE: if (pixel_valid) state <= SHIFT_IN;
            SHIFT_IN: begin
                now <= 1;
                state <= LOOK;
            end
            LOOK: begin
                inputs_left <= spiking;
                if (spiking != 0) state <= ADD;
                else now <= now + 1'b1;
            end
            ADD: begin
                inputs_left <= other_inputs;
                if (other_inputs == 0) begin
                    now <= now + 1'b1;
                    state <= INTEGRATE;
                end
            end
            INTEGRATE: begin
                inputs_left <= spiking;
                state <= (spiking != 0 && now != NEVER) ? ADD : LOOK;
                if (spiking == 0 && now != NEVER) begin
                    now <= now + 1'b1;
                    passed <= 1;
                end
            end
            CHOOSE: begin
                if (further != 0) neurons_left <= further;
                looked_at <= looked_at - 1'b1;
                if (looked_at == 0) state <= SEND;
            end
            default: ;
        endcase
        if (ends) begin
            neurons_left <= reached;
            looked_at <= TOP[BIT_BITS-1:0];
            spike_step <= now - (passed ? 3 : 2); // from 0; later steps were looked at
            state <= CHOOSE;
        end
        if (advance) state <= sample_ends ? ANSWER : TAKE;
        if (start) state <= TAKE;
    end
endmodule
