/*
 * What the caller calls: samples as a whole or line by line, and values as they were recorded.
 * Included last in each network's own file.
 */
#include "scaled.h"

#if FSPINN_EXTRA_FEATURES > 0
#define AND_FEATURES , const uint8_t *features
#define FEATURES_TOO , features
#else
#define AND_FEATURES
#define FEATURES_TOO
#endif

#if FSPINN_ENCODER == FSPINN_EVENTS
void FSPINN_CALL(start)(FSPINN_STATE *state)
{
    silence(state);
    start_events(state);
}

/* An event belongs to the step that its time lies in, or if it comes out of order to the one that is taken now. */
void FSPINN_CALL(event)(FSPINN_STATE *state, uint16_t x, uint16_t y, uint8_t polarity, uint32_t time)
{
    while (state->step < FSPINN_INPUT_STEPS && time >= state->step_ends) {
        end_step(state);
    }
    if (state->step < FSPINN_INPUT_STEPS && x < FSPINN_SAMPLE_WIDTH && y < FSPINN_SAMPLE_HEIGHT && polarity < 2) {
        note(state, ((uint32_t)y * FSPINN_SAMPLE_WIDTH + x) * 2 + polarity);
    }
}

int16_t FSPINN_CALL(end)(FSPINN_STATE *state AND_FEATURES)
{
    while (state->step < FSPINN_ALL_STEPS) {
        end_step(state);
    }
#if FSPINN_LAYERS > 1
    answer(state);
#endif
    return FSPINN_CALL(class)(state FEATURES_TOO);
}

int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const FSPINN_CALL(recorded) *events, uint32_t count AND_FEATURES)
{
    FSPINN_CALL(start)(state);
    for (; count > 0; count--, events++) {
        FSPINN_CALL(event)(state, events->x, events->y, events->polarity, events->time);
    }
    return FSPINN_CALL(end)(state FEATURES_TOO);
}
#else
#if !FSPINN_COLUMN && FSPINN_KEPT_ROWS > 0
#define SAMPLE_ROW (UINT32_C(1) * FSPINN_SAMPLE_WIDTH * FSPINN_SAMPLE_CHANNELS)
#define ROW_OF_BLOCKS (SAMPLE_ROW * FSPINN_POOL_ROWS)
#endif

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
#if FSPINN_KEPT_ROWS > 0
    state->came = state->lap = 0;
    state->answered = 0;
    state->needed = (FSPINN_FIELD_HEIGHT + FSPINN_CONTRAST_RADIUS) * ROW_OF_BLOCKS;
    state->rows_left = FSPINN_SAMPLE_HEIGHT;
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
#elif FSPINN_KEPT_ROWS > 0
uint16_t FSPINN_CALL(row)(FSPINN_STATE *state, const uint8_t *row)
{
    uint32_t k;
    uint8_t *to;
    if (state->rows_left == 0) {
        return 0;
    }
    if (state->came - state->lap == sizeof state->rows) {
        state->lap = state->came;
    }
    to = state->rows + (state->came - state->lap);
    for (k = 0; k < SAMPLE_ROW; k++) {
        to[k] = row[k];
    }
    state->came += SAMPLE_ROW;
    state->rows_left--;
    /* A row of positions is complete with its field and what a contrast looks ahead, and all are at the end. */
    while (state->answered < FSPINN_POSITIONS && (state->rows_left == 0 || state->came >= state->needed)) {
        for (k = 0; k < FSPINN_POSITION_COLUMNS; k++) {
            answer_at_1(state, state->answered++);
        }
        state->needed += FSPINN_STRIDE * ROW_OF_BLOCKS;
#if FSPINN_LAYERS > 1
        if (state->answered == FSPINN_POSITIONS) {
            answer(state);
        }
#endif
    }
    return state->rows_left;
}
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

int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const uint8_t *sample, uint32_t number AND_FEATURES)
{
#if FSPINN_COLUMN
    FSPINN_CALL(start)(state, number);
    while (take_next(state, sample) > 0) {
        sample += FSPINN_LINE;
    }
#elif FSPINN_KEPT_ROWS > 0
    FSPINN_CALL(start)(state, number);
    while (FSPINN_CALL(row)(state, sample) > 0) {
        sample += SAMPLE_ROW;
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
    return FSPINN_CALL(class)(state FEATURES_TOO);
}
#endif
