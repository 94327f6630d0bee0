/*
 * A column without leak at work, on inputs that spike once, whose first output spike ends a position: what the
 * smallest chips have room for. Included in place of layer.h for a first layer that is such a column.
 *
 * Lines of the sample (rows of an image, values of a signal) come one after the other. Of each input the time
 * step of its spike is kept, for as many lines as the field has. Once a line completes a row of positions, these
 * answer. There is one multiplication per pixel, to encode it, and nothing is divided but sums of blocks, where
 * inputs are means of such.
 */
#define WEIGHT_MASK_1 ((1u << LAYER_WEIGHT_BITS) - 1u)
#define UNIT_BITS ((LAYER_WEIGHT_BITS > 8) ? 16 : 8)
#define PER_UNIT (UNIT_BITS / LAYER_WEIGHT_BITS)
#define ROW_UNITS ((LAYER_NEURONS + PER_UNIT - 1) / PER_UNIT)

/* A spike in the first step is kept as 1, so that 0 is before all of them. */
#define NEVER (FSPINN_INPUT_STEPS + 1)

typedef uint_fast16_t index_type;
#if LAYER_NEURONS < 255 && LAYER_FIELD_LINES < 255 && LAYER_FIELD_RUN < 255
typedef uint_fast8_t small_index;
#else
typedef uint_fast16_t small_index;
#endif

#if FSPINN_LAYERS == 1
#define silence silence_1
#endif

#if FSPINN_LEARNS
#include "thresholds.h"
#endif

/* Forget all lines and spikes. */
static void silence_1(FSPINN_STATE *state)
{
    index_type j;
    for (j = 0; j < LAYER_FEATURES; j++) {
#if FSPINN_LAYERS == 1
        state->counts[j] = 0;
#else
        state->sent_1[j] = LAYER_STEPS;
#endif
    }
#if FSPINN_LEARNS
    set_answer_thresholds(state);
#endif
    state->lines_left = FSPINN_LINES;
    state->until_row = LAYER_FIELD_LINES;
    state->oldest = 0;
    state->row_cell = 0;
    state->row_part = 0;
#if FSPINN_POOL > 1
    for (j = 0; j < LAYER_LINE; j++) {
        state->block_sums[j] = 0;
    }
    state->block_lines = 0;
#endif
}

/* The neuron and cell of a feature spike. */
static void send_1(FSPINN_STATE *state, index_type feature, LAYER_TIME time)
{
#if FSPINN_LAYERS == 1
    (void)time;
    state->counts[feature]++;
#else
    if (time <= state->sent_1[feature]) {
        state->sent_1[feature] = (LAYER_TIME)(time - 1);
    }
#endif
}

/* Add the weights of an input to the sums of the neurons. */
static void add_row(LAYER_SUM *sums, const LAYER_UNIT *row)
{
    small_index j = 0, k;
    while (j < LAYER_NEURONS) {
#if FSPINN_LEARNS
        LAYER_UNIT packed = *row;
#else
        LAYER_UNIT packed = FSPINN_READ(LAYER_UNIT, *row);
#endif
        row++;
        for (k = 0; k < PER_UNIT && j < LAYER_NEURONS; k++, j++) {
#if LAYER_WEIGHTS_SIGNED
            /* The sign bit counts for less than nothing. */
            LAYER_SUM weight = (LAYER_SUM)(packed & WEIGHT_MASK_1 >> 1);
            weight = (LAYER_SUM)(weight - (LAYER_SUM)(packed & (WEIGHT_MASK_1 ^ WEIGHT_MASK_1 >> 1)));
            sums[j] = (LAYER_SUM)(sums[j] + weight);
#else
            sums[j] = (LAYER_SUM)(sums[j] + (packed & WEIGHT_MASK_1));
#endif
            packed = (LAYER_UNIT)((uint32_t)packed >> LAYER_WEIGHT_BITS);
        }
    }
}

/* Add the weights of all inputs of a position that spike at a time; returns the next time at which any does. */
static LAYER_TIME add_inputs(FSPINN_STATE *state, index_type corner, LAYER_TIME now)
{
    const LAYER_TIME *times = state->times + state->oldest + corner;
    const LAYER_TIME *end = state->times + LAYER_FIELD_LINES * LAYER_LINE;
#if FSPINN_LEARNS
    const LAYER_UNIT *row = state->learned.weights;
#else
    const LAYER_UNIT *row = weights_1;
#endif
    LAYER_TIME next = NEVER;
    small_index line, k;
    for (line = 0; line < LAYER_FIELD_LINES; line++) {
        for (k = 0; k < LAYER_FIELD_RUN; k++, row += ROW_UNITS) {
            LAYER_TIME time = times[k];
            if (time < next) {
                if (time == now) {
                    add_row(state->sums, row);
                } else if (time > now) {
                    next = time;
                }
            }
        }
        /* The lines lie in a ring. */
        if (end - times > LAYER_LINE) {
            times += LAYER_LINE;
        } else {
            times = state->times + corner;
        }
    }
    return next;
}

static LAYER_WIDE scaled_1(LAYER_SUM sum)
{
#if LAYER_SHIFT >= 0
    return (LAYER_WIDE)((LAYER_WIDE)sum * ((LAYER_WIDE)1 << LAYER_SHIFT));
#elif LAYER_WEIGHTS_SIGNED
    return (LAYER_WIDE)(sum >= 0 ? sum >> -LAYER_SHIFT : ~(~sum >> -LAYER_SHIFT));
#else
    return (LAYER_WIDE)(sum >> -LAYER_SHIFT);
#endif
}

static LAYER_WIDE threshold_1(const FSPINN_STATE *state, small_index j)
{
#if FSPINN_LEARNS
    return state->thresholds[j];
#elif LAYER_ADAPTED
    (void)state;
    return (LAYER_WIDE)(LAYER_THRESHOLD +
                        (LAYER_WIDE)FSPINN_READ(LAYER_THETA, theta_1[j]) * ((LAYER_WIDE)1 << LAYER_THETA_SHIFT));
#else
    (void)state;
    (void)j;
    return LAYER_THRESHOLD;
#endif
}

/* Let the neurons of a position see its inputs; returns the first that spikes, LAYER_NEURONS if none does. */
static small_index first_spike(FSPINN_STATE *state, index_type corner, LAYER_TIME *time)
{
    small_index j, winner = LAYER_NEURONS;
    LAYER_TIME now, next;
    for (j = 0; j < LAYER_NEURONS; j++) {
        state->potentials_1[j] = 0;
        state->sums[j] = 0;
    }
#if LAYER_SPIKES_UNASKED
    now = 1; /* a threshold that needs no input */
#else
    now = add_inputs(state, corner, 0);
#endif
    for (; now < NEVER; now = next) {
        LAYER_WIDE best = -1;
        next = add_inputs(state, corner, now);
        for (j = 0; j < LAYER_NEURONS; j++) {
            LAYER_WIDE v = (LAYER_WIDE)((LAYER_WIDE)state->potentials_1[j] + scaled_1(state->sums[j]));
            v = v > LAYER_LOWEST ? v : LAYER_LOWEST;
            v = v < LAYER_HIGHEST ? v : LAYER_HIGHEST;
            state->potentials_1[j] = (LAYER_POTENTIAL)v;
            state->sums[j] = 0;
            v = (LAYER_WIDE)(v - threshold_1(state, j));
            if (v > best) {
                best = v;
                winner = j;
            }
        }
        if (winner < LAYER_NEURONS) {
            break;
        }
    }
    *time = now;
    return winner;
}

/* The first spike of a position is counted in the cell. */
static void answer_at_1(FSPINN_STATE *state, index_type corner, index_type cell)
{
    LAYER_TIME time;
    small_index winner = first_spike(state, corner, &time);
    if (winner < LAYER_NEURONS) {
        send_1(state, (index_type)(cell + winner), time);
    }
}

/* Of n positions in a row, number a is in cell a * cells / n. */
static void answer_row(FSPINN_STATE *state)
{
    index_type column, corner = 0, part = 0, cell = state->row_cell;
    for (column = 0; column < LAYER_COLUMNS; column++) {
        answer_at_1(state, corner, cell);
        corner += LAYER_STRIDE * LAYER_CHANNELS;
        part += LAYER_CELL_COLUMNS;
        if (part >= LAYER_COLUMNS) {
            part -= LAYER_COLUMNS;
            cell += LAYER_NEURONS;
        }
    }
    state->row_part = (uint16_t)(state->row_part + LAYER_CELL_ROWS);
    if (state->row_part >= LAYER_ROWS) {
        state->row_part = (uint16_t)(state->row_part - LAYER_ROWS);
        state->row_cell = (uint16_t)(state->row_cell + LAYER_CELL_COLUMNS * LAYER_NEURONS);
    }
}

#if FSPINN_POOL > 1
/* Add a line to the sums of blocks; returns whether these are complete. */
static uint8_t add_line(FSPINN_STATE *state, const uint8_t *line)
{
    index_type pixel, across, c, k = 0;
    for (pixel = 0; pixel < LAYER_LINE; pixel += FSPINN_CHANNELS) {
        for (across = 0; across < FSPINN_BLOCK_ACROSS; across++) {
            for (c = 0; c < FSPINN_CHANNELS; c++, k++) {
                state->block_sums[pixel + c] = (FSPINN_BLOCK_SUM)(state->block_sums[pixel + c] + line[k]);
            }
        }
    }
    state->block_lines++;
    return state->block_lines == FSPINN_BLOCK_LINES;
}
#endif

/* When an input spikes. */
static LAYER_TIME time_of(uint8_t pixel)
{
    LAYER_TIME early = (LAYER_TIME)((LAYER_EARLY)pixel * FSPINN_INPUT_STEPS >> 8);
    return (LAYER_TIME)(pixel == 0 ? NEVER : FSPINN_INPUT_STEPS - early);
}

/* Take the next line of the sample, pixel by pixel, all channels of each. */
static void take_line(FSPINN_STATE *state, const uint8_t *line)
{
    LAYER_TIME *times = state->times + state->oldest;
    index_type k;
    state->lines_left--;
#if FSPINN_POOL > 1
    if (!add_line(state, line)) {
        return;
    }
    state->block_lines = 0;
#endif
    for (k = 0; k < LAYER_LINE; k++) {
#if FSPINN_POOL > 1
        /* The mean of a block, of a half rounded up. */
        uint8_t pixel = (uint8_t)((state->block_sums[k] + FSPINN_BLOCK / 2u) / FSPINN_BLOCK);
        state->block_sums[k] = 0;
#else
        uint8_t pixel = line[k];
#endif
        times[k] = time_of(pixel);
    }
    state->oldest = (uint16_t)(state->oldest + LAYER_LINE);
    if (state->oldest == LAYER_FIELD_LINES * LAYER_LINE) {
        state->oldest = 0;
    }
    state->until_row--;
    if (state->until_row == 0) {
        answer_row(state);
        state->until_row = LAYER_STRIDE;
    }
}
