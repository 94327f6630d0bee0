/*
 * A linear classifier: each byte of a sample, when it comes, adds its row of the table as often as its value says.
 * Included before readout.h in each classifier's own file.
 */
#include "entries.h"

static bit_reader reader_of(const FSPINN_STATE *state)
{
    bit_reader reader;
    reader.next = state->next;
    reader.bits = state->bits;
    reader.left = state->left;
    return reader;
}

/* So many bytes speak for the classes, the first of them being this input. */
static void speak_all(FSPINN_SCORE *scores, bit_reader *reader, uint32_t input, const uint8_t *values, uint32_t count)
{
    uint32_t i;
    for (i = 0; i < count; i++) {
#if FSPINN_DROPS
        uint32_t place = input + i;
        if ((FSPINN_READ(uint8_t, kept[place >> 3]) >> (place & 7) & 1) == 0) {
            continue; /* it has no row */
        }
#else
        (void)input;
#endif
        speak(scores, reader, (FSPINN_SCORE)values[i]);
    }
}

void FSPINN_CALL(start)(FSPINN_STATE *state, uint32_t number)
{
    uint16_t c;
    (void)number;
    for (c = 0; c < FSPINN_CLASSES; c++) {
        state->scores[c] = (FSPINN_SCORE)FSPINN_READ(FSPINN_BIAS, bias[c]) * FSPINN_BIAS_STEP;
    }
    state->next = table;
    state->bits = 0;
    state->left = 0;
    state->lines_left = FSPINN_LINES;
}

static uint16_t take_next(FSPINN_STATE *state, const uint8_t *line)
{
    if (state->lines_left > 0) {
        bit_reader reader = reader_of(state);
        uint32_t taken = (uint32_t)FSPINN_LINES - state->lines_left;
        speak_all(state->scores, &reader, taken * FSPINN_LINE, line, FSPINN_LINE);
        state->next = reader.next;
        state->bits = reader.bits;
        state->left = reader.left;
        state->lines_left--;
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

#if FSPINN_EXTRA_FEATURES > 0
int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const uint8_t *sample, uint32_t number, const uint8_t *features)
#else
int16_t FSPINN_CALL(answer)(FSPINN_STATE *state, const uint8_t *sample, uint32_t number)
#endif
{
    FSPINN_CALL(start)(state, number);
    while (take_next(state, sample) > 0) {
        sample += FSPINN_LINE;
    }
#if FSPINN_EXTRA_FEATURES > 0
    return FSPINN_CALL(class)(state, features);
#else
    return FSPINN_CALL(class)(state);
#endif
}
