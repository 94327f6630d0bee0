/*
 * The table of a readout, entry by entry, and what a row of it adds to the scores. Included once in each network's own
 * file.
 */
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
