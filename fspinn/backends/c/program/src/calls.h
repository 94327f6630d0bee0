/*
 * What the caller calls: samples as a whole or line by line, and values as they were recorded.
 * Included last in each network's own file.
 */
#include "scaled.h"

#if FSPINN_PUSH && !FSPINN_COLUMN && FSPINN_POOL > 1
static void clear_block(FSPINN_STATE *state)
{
    uint32_t c;
    for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
        state->sums[c] = 0;
    }
    state->added = 0;
}

/* Add a value to its block, and take the mean once it is complete. */
static void add(FSPINN_STATE *state, const uint8_t *value)
{
    uint8_t means[FSPINN_SAMPLE_CHANNELS];
    uint32_t c;
    for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
        state->sums[c] = (uint16_t)(state->sums[c] + value[c]);
    }
    if (++state->added < FSPINN_POOL) {
        return;
    }
    for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
        means[c] = (uint8_t)((state->sums[c] + FSPINN_POOL / 2u) / FSPINN_POOL);
    }
    take(state, means);
    clear_block(state);
}
#endif

void FSPINN_CALL(start)(FSPINN_STATE *state, uint32_t number)
{
#if FSPINN_COLUMN
    (void)number;
    silence(state);
#else
#if FSPINN_KEPT > 0
    state->taken = state->unknown = 0;
#endif
#if FSPINN_PUSH
    state->answered = 0;
#if FSPINN_POOL > 1
    clear_block(state);
#endif
#endif
    silence(state);
    start_encoder(state, number);
#endif
}

#if FSPINN_COLUMN
/* All layers above answer once the first one has seen all lines. */
static uint16_t take_next(FSPINN_STATE *state, const uint8_t *line)
{
    if (state->lines_left > 0) {
        take_line(state, line);
#if FSPINN_LAYERS > 1
        if (state->lines_left == 0) {
            answer(state);
        }
#endif
    }
    return state->lines_left;
}

#if FSPINN_PUSH
uint16_t FSPINN_CALL(push)(FSPINN_STATE *state, const uint8_t *value)
{
    return take_next(state, value);
}
#else
uint16_t FSPINN_CALL(row)(FSPINN_STATE *state, const uint8_t *row)
{
    return take_next(state, row);
}
#endif
#elif FSPINN_PUSH
uint16_t FSPINN_CALL(push)(FSPINN_STATE *state, const uint8_t *value)
{
#if FSPINN_POOL > 1
    if (state->taken < FSPINN_WIDTH) {
        add(state, value);
    }
#else
    if (state->taken < FSPINN_WIDTH) {
        take(state, value);
    }
#endif
    /* A position is complete with its field and what a contrast looks ahead, and all are at the end. */
    while (state->answered < FSPINN_POSITIONS &&
           (state->taken == FSPINN_WIDTH ||
            state->taken >= state->answered * FSPINN_STRIDE + FSPINN_FIELD_WIDTH + FSPINN_CONTRAST_RADIUS)) {
        answer_at_1(state, state->answered++);
#if FSPINN_LAYERS > 1
        if (state->answered == FSPINN_POSITIONS) {
            answer(state);
        }
#endif
    }
#if FSPINN_POOL > 1
    return (uint16_t)(FSPINN_SAMPLE_WIDTH - state->taken * FSPINN_POOL - state->added);
#else
    return (uint16_t)(FSPINN_WIDTH - state->taken);
#endif
}
#endif

#if FSPINN_EXTRA_FEATURES > 0
int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const uint8_t *sample, uint32_t number, const uint8_t *features)
#else
int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const uint8_t *sample, uint32_t number)
#endif
{
#if FSPINN_COLUMN
    FSPINN_CALL(start)(state, number);
    while (take_next(state, sample) > 0) {
        sample += FSPINN_LINE;
    }
#else
    uint32_t position;
    state->pixels = sample;
    FSPINN_CALL(start)(state, number);
    for (position = 0; position < FSPINN_POSITIONS; position++) {
        answer_at_1(state, position);
    }
#if FSPINN_LAYERS > 1
    answer(state);
#endif
#endif
#if FSPINN_EXTRA_FEATURES > 0
    return FSPINN_CALL(class)(state, features);
#else
    return FSPINN_CALL(class)(state);
#endif
}
