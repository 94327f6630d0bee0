/*
 * From spike counts, and features beside the sample, to the class. Included once in each network's own file.
 */
#define SPEAKS (FSPINN_REJECT == 0 && !FSPINN_ANSWERS_SILENCE)

/* Entries of the table, or labels, one after the other in a row of bits. */
typedef struct {
    const uint8_t *next;
    FSPINN_BIT_BUFFER bits;
    uint8_t left;
} bit_reader;

static FSPINN_BIT_BUFFER next_entry(bit_reader *reader)
{
    FSPINN_BIT_BUFFER found;
    while (reader->left < FSPINN_READOUT_BITS) {
        FSPINN_BIT_BUFFER more = FSPINN_READ(uint8_t, *reader->next);
        reader->bits = (FSPINN_BIT_BUFFER)(reader->bits | more << reader->left);
        reader->next++;
        reader->left = (uint8_t)(reader->left + 8);
    }
    found = (FSPINN_BIT_BUFFER)(reader->bits & FSPINN_ENTRY_MASK);
    reader->bits = (FSPINN_BIT_BUFFER)(reader->bits >> FSPINN_READOUT_BITS);
    reader->left = (uint8_t)(reader->left - FSPINN_READOUT_BITS);
    return found;
}

/* So many spikes of the next neuron, or of the next input of a feature, speak for the classes. */
static void speak(FSPINN_SCORE *scores, bit_reader *reader, FSPINN_SCORE spikes)
{
#if FSPINN_READOUT == FSPINN_LABELS
    FSPINN_BIT_BUFFER label = next_entry(reader);
    if (label < FSPINN_CLASSES) {
        scores[label] = (FSPINN_SCORE)(scores[label] + spikes);
    }
#else
    uint16_t c;
    for (c = 0; c < FSPINN_CLASSES; c++) {
        FSPINN_SCORE entry = (FSPINN_SCORE)next_entry(reader);
#if FSPINN_READOUT_SIGNED
        entry = (FSPINN_SCORE)(entry > FSPINN_HIGHEST_ENTRY ? entry - FSPINN_HIGHEST_ENTRY - FSPINN_HIGHEST_ENTRY - 2
                                                            : entry);
#endif
        if (spikes != 0) {
            scores[c] = (FSPINN_SCORE)(scores[c] + spikes * entry);
        }
    }
#endif
}

#if FSPINN_EXTRA_FEATURES > 0
int16_t FSPINN_CALL(class)(const FSPINN_STATE *state, const uint8_t *features)
#else
int16_t FSPINN_CALL(class)(const FSPINN_STATE *state)
#endif
{
    FSPINN_SCORE scores[FSPINN_CLASSES];
    bit_reader reader = {0, 0, 0};
    int16_t best = 0;
    uint16_t c;
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
