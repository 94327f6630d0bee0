/*
 * From spike counts, and features beside the sample, to the class. Included once in each network's own file.
 */
#define SPEAKS (FSPINN_REJECT == 0 && !FSPINN_ANSWERS_SILENCE)

#if !FSPINN_LINEAR
#include "entries.h"
#endif

#if FSPINN_EXTRA_FEATURES > 0
int16_t FSPINN_CALL(class)(const FSPINN_STATE *state, const uint8_t *features)
#else
int16_t FSPINN_CALL(class)(const FSPINN_STATE *state)
#endif
{
    FSPINN_SCORE scores[FSPINN_CLASSES];
    int16_t best = 0;
    uint16_t c;
#if FSPINN_LINEAR
#if FSPINN_REJECT > 0
    FSPINN_SCORE second = 0;
#endif
#if FSPINN_EXTRA_FEATURES > 0
    bit_reader reader = reader_of(state);
#endif
    for (c = 0; c < FSPINN_CLASSES; c++) {
        scores[c] = state->scores[c];
    }
#if FSPINN_EXTRA_FEATURES > 0
    speak_all(scores, &reader, FSPINN_LINES * FSPINN_LINE, features, FSPINN_EXTRA_FEATURES);
#endif
#else
    bit_reader reader = {0, 0, 0};
    uint32_t j;
#if FSPINN_REJECT > 0
    FSPINN_SCORE second = 0;
#elif SPEAKS
    uint8_t silent = 1;
#endif
#if FSPINN_READOUT == FSPINN_LABELS
    reader.next = labels;
#else
    reader.next = table;
#endif
    for (c = 0; c < FSPINN_CLASSES; c++) {
#if FSPINN_BIASED
        scores[c] = FSPINN_READ(FSPINN_BIAS, bias[c]);
#else
        scores[c] = 0;
#endif
    }
    for (j = 0; j < FSPINN_FEATURES; j++) {
#if SPEAKS
        silent = (uint8_t)(silent & (state->counts[j] == 0));
#endif
        speak(scores, &reader, (FSPINN_SCORE)state->counts[j]);
    }
#if FSPINN_EXTRA_FEATURES > 0
    /* A feature is a thermometer: so many of its inputs are on as its level is. */
    for (j = 0; j < FSPINN_EXTRA_FEATURES; j++) {
        uint8_t level = (uint8_t)(features[j] >> (8 - FSPINN_LEVEL_BITS)), row;
#if SPEAKS
        silent = (uint8_t)(silent & (level == 0));
#endif
        for (row = 0; row < (1 << FSPINN_LEVEL_BITS) - 1; row++) {
            speak(scores, &reader, row < level ? FSPINN_EXTRA_SPIKES : 0);
        }
    }
#endif
#if SPEAKS
    if (silent) {
        return NOBODY;
    }
#endif
#if FSPINN_READOUT == FSPINN_LABELS
    for (c = 0; c < FSPINN_CLASSES; c++) {
        scores[c] = (FSPINN_SCORE)(scores[c] * (FSPINN_SCORE)FSPINN_READ(FSPINN_SHARE, shares[c]));
    }
#endif
#endif
    for (c = 1; c < FSPINN_CLASSES; c++) {
        if (scores[c] > scores[best]) {
#if FSPINN_REJECT > 0
            second = scores[best];
#endif
            best = (int16_t)c;
        }
#if FSPINN_REJECT > 0
        else if (c == 1 || scores[c] > second) {
            second = scores[c];
        }
#endif
    }
#if FSPINN_REJECT > 0
    if ((uint64_t)(scores[best] - second) < FSPINN_REJECT) {
        return NOBODY;
    }
#endif
    return best;
}
