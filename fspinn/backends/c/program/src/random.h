/*
 * Random words by counting, the same as fspinn's: `mix` of a counter that grows by GOLDEN. Included by encoder.h
 * and learn.h.
 */
#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

#if FSPINN_ENCODER != FSPINN_REGULAR
static uint64_t mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}
#endif
