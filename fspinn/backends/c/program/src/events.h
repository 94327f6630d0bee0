/*
 * Events that come one by one: of a time step it is kept which inputs have had one, until an event of a later step
 * comes. Then all positions, whose neurons are all kept, take the step. Included after layer.h for a first layer
 * that sees events.
 */
static void no_input(FSPINN_STATE *state)
{
    uint32_t i;
    for (i = 0; i < FSPINN_EVENT_WORDS; i++) {
        state->spiking[i] = 0;
    }
}

static void start_events(FSPINN_STATE *state)
{
#if LAYER_POSITIONS > 1
    for (state->position = 0; state->position < LAYER_POSITIONS; state->position++) {
        clear_1(state);
    }
#else
    clear_1(state);
#endif
#if LAYER_INHIBITION == FSPINN_INHIBITION_FIRST
    uint32_t i;
    for (i = 0; i < (LAYER_POSITIONS + 7) / 8; i++) {
        state->ended[i] = 0;
    }
#endif
    no_input(state);
    state->step = 0;
    state->step_ends = FSPINN_STEP_TIME;
}

/* With inhibition `first` an output spike ends a position. */
static void step_at(FSPINN_STATE *state)
{
#if LAYER_INHIBITION == FSPINN_INHIBITION_FIRST
#if LAYER_POSITIONS > 1
    uint8_t *ended = &state->ended[state->position / 8], bit = (uint8_t)(1u << state->position % 8);
#else
    uint8_t *ended = state->ended, bit = 1;
#endif
    if ((*ended & bit) == 0 && take_step_1(state) != NOBODY) {
        *ended |= bit;
    }
#else
    (void)take_step_1(state);
#endif
}

/* The time step is over: all positions take it. Of n positions in a row, number a is in cell a * cells / n. */
static void end_step(FSPINN_STATE *state)
{
#if LAYER_POSITIONS > 1
    uint32_t row, column, row_corner = 0, row_base = 0, row_part = 0;
    state->position = 0;
    for (row = 0; row < LAYER_ROWS; row++) {
        uint32_t column_part = 0;
        state->corner_1 = row_corner;
        state->base_1 = row_base;
        for (column = 0; column < LAYER_COLUMNS; column++) {
            step_at(state);
            state->position++;
            state->corner_1 += LAYER_STRIDE * LAYER_CHANNELS;
            column_part += LAYER_CELL_COLUMNS;
            if (column_part >= LAYER_COLUMNS) {
                column_part -= LAYER_COLUMNS;
                state->base_1 += LAYER_NEURONS;
            }
        }
        row_corner += LAYER_STRIDE * LAYER_WIDTH * LAYER_CHANNELS;
        row_part += LAYER_CELL_ROWS;
        if (row_part >= LAYER_ROWS) {
            row_part -= LAYER_ROWS;
            row_base += LAYER_CELL_COLUMNS * LAYER_NEURONS;
        }
    }
#else
    step_at(state);
#endif
    no_input(state);
    state->step++;
    state->step_ends += FSPINN_STEP_TIME;
}

/* An input has an event in the time step: it spikes once, whatever others it has. */
static void note(FSPINN_STATE *state, uint32_t input)
{
#if MASKED
    /* Its place among those that are used. */
    uint32_t used = FSPINN_READ(uint32_t, input_mask_1[input / 32]), below;
    if ((used >> input % 32 & 1) == 0) {
        return;
    }
    below = used & ((UINT32_C(1) << input % 32) - 1);
    for (input = FSPINN_READ(uint16_t, inputs_before_1[input / 32]); below != 0; below &= below - 1) {
        input++;
    }
#endif
    state->spiking[input / 32] |= UINT32_C(1) << input % 32;
}
