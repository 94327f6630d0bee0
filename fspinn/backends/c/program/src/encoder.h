/*
 * Which inputs spike in the next time steps: counter-based randomness, the same as fspinn's.
 * Included once in each network's own file, after intensities.h.
 */
#if FSPINN_ENCODER == FSPINN_POISSON || FSPINN_ENCODER == FSPINN_REGULAR ||                               \
    FSPINN_ENCODER == FSPINN_UNSCALED

#include "random.h"

/* A pixel's probability to spike is pixel * mantissa * 2**exponent, in units of 2**-32. */

#if FSPINN_ENCODER != FSPINN_UNSCALED
/*
 * Set the scale to FSPINN_RATE / sqrt(square), in the arithmetic that fspinn's encoder has: 53 bits, rounded
 * to nearest after the root and after the quotient. Both are found to 54 bits, digit by digit; neither a root
 * nor a quotient of such numbers is ever halfway between two of 53 bits, so the last one decides.
 */
static void set_scale(FSPINN_STATE *state, uint64_t square)
{
    uint64_t root = 0, left = 0, quotient = 0, rate = FSPINN_RATE_MANTISSA;
    int32_t i, halvings = 21;
    state->mantissa = 0;
    if (square == 0) {
        return;
    }
    for (; square >> 62 == 0; halvings++) {
        square <<= 2;
    }
    for (i = 0; i < 54; i++) {
        uint64_t trial = (root << 2) | 1;
        left = (left << 2) | (square >> 62);
        square <<= 2;
        root <<= 1;
        if (left >= trial) {
            left -= trial;
            root |= 1;
        }
    }
    root = (root + 1) >> 1; /* sqrt is root * 2**-halvings */
    state->exponent = FSPINN_RATE_EXPONENT + halvings - 52;
    if (rate < root) {
        rate <<= 1;
        state->exponent--;
    }
    for (i = 0; i < 54; i++) {
        quotient <<= 1;
        if (rate >= root) {
            rate -= root;
            quotient |= 1;
        }
        rate <<= 1;
    }
    state->mantissa = (quotient + 1) >> 1;
}

static uint64_t square_of_all(FSPINN_STATE *state)
{
    uint64_t square = 0;
    uint32_t i;
    for (i = 0; i < FSPINN_INTENSITIES; i++) {
        uint32_t found = intensity(state, i);
        square += found * found;
    }
    return square;
}
#endif

/* The product is rounded to 53 bits, of a half to the even one, and then down to a whole number. */
static uint32_t probability(FSPINN_STATE *state, uint32_t pixel)
{
    uint64_t product = pixel * state->mantissa, whole, rest_of_it, half;
    int32_t extra = 0, below;
    while (product >> extra >> 53 != 0) {
        extra++;
    }
    half = (UINT64_C(1) << extra) >> 1;
    rest_of_it = product & ((UINT64_C(1) << extra) - 1);
    whole = product >> extra;
    whole += rest_of_it > half || (rest_of_it == half && extra > 0 && (whole & 1));
    below = -(state->exponent + extra);
    if (whole == 0 || below > 63) {
        return 0;
    }
    if (below <= 0 || whole >> below > 0xFFFFFFFFu) {
        return 0xFFFFFFFFu;
    }
    return (uint32_t)(whole >> below);
}
#endif

#if FSPINN_ENCODER == FSPINN_REGULAR

static void start_encoder(FSPINN_STATE *state, uint32_t number)
{
    (void)number;
    set_scale(state, square_of_all(state));
}

/* The steps from `step` on in which a pixel spikes, one bit each: when a sum passes a whole number. */
static uint32_t steps_of(FSPINN_STATE *state, uint32_t pixel, uint32_t brightness)
{
    uint32_t p = probability(state, brightness), found = 0, s;
    uint32_t sum = pixel * (uint32_t)(GOLDEN >> 32) + state->step * p;
    for (s = 0; s < FSPINN_STEPS_AT_ONCE; s++) {
        sum += p;
        found |= (uint32_t)(sum < p) << s;
    }
    return found;
}

#elif FSPINN_ENCODER == FSPINN_TTFS

#if FSPINN_WHITE
static void start_encoder(FSPINN_STATE *state, uint32_t number)
{
    (void)state;
    (void)number;
}
#else
/* Those that are brighter than `least` spike, and those before `stop` that are as bright as it. */
static void start_encoder(FSPINN_STATE *state, uint32_t number)
{
    uint32_t i;
    (void)number;
    state->brightest = 0;
    for (i = 0; i < FSPINN_INTENSITIES; i++) {
        uint32_t found = intensity(state, i);
        state->brightest = found > state->brightest ? found : state->brightest;
    }
#if FSPINN_MOST_SPIKES < FSPINN_INTENSITIES
    /* The highest level that enough of them reach, bit by bit; 0 if there are too few. */
    uint32_t level, above;
    state->least = 0;
    for (level = 128; level > 0; level >>= 1) {
        for (i = 0, above = 0; i < FSPINN_INTENSITIES; i++) {
            above += intensity(state, i) >= (state->least | level);
        }
        state->least |= above >= FSPINN_MOST_SPIKES ? level : 0;
    }
    for (i = 0, above = 0; i < FSPINN_INTENSITIES; i++) {
        above += intensity(state, i) > state->least;
    }
    for (state->stop = 0; state->stop < FSPINN_INTENSITIES && above < FSPINN_MOST_SPIKES; state->stop++) {
        above += intensity(state, state->stop) == state->least;
    }
#endif
}
#endif

static uint32_t steps_of(FSPINN_STATE *state, uint32_t pixel, uint32_t brightness)
{
    uint32_t t;
#if FSPINN_WHITE
    t = FSPINN_INPUT_STEPS - 1 - (brightness * FSPINN_INPUT_STEPS >> 8);
#else
#if FSPINN_MOST_SPIKES < FSPINN_INTENSITIES
    if (brightness < state->least || (brightness == state->least && pixel >= state->stop)) {
        return 0;
    }
#endif
    t = (state->brightest - brightness) * (FSPINN_INPUT_STEPS - 1) / state->brightest;
#endif
    (void)pixel;
    return t >= state->step && t - state->step < FSPINN_STEPS_AT_ONCE ? UINT32_C(1) << (t - state->step) : 0;
}

#else /* poisson, unscaled */

static uint64_t stream(uint64_t name, uint64_t part_of_it)
{
    return mix((name ^ part_of_it) + GOLDEN);
}

static void start_encoder(FSPINN_STATE *state, uint32_t number)
{
#if FSPINN_ENCODER == FSPINN_UNSCALED
    state->mantissa = FSPINN_RATE_MANTISSA;
    state->exponent = FSPINN_RATE_EXPONENT;
#else
    set_scale(state, square_of_all(state));
#endif
    state->key = stream(stream(stream(0, FSPINN_SEED), FSPINN_PURPOSE), number);
}

/*
 * The steps from `step` on in which a pixel spikes, one bit each: a trial for every step, those of 64 steps
 * from the same random words. Their bits are compared with the probability, from the highest on.
 */
static uint32_t steps_of(FSPINN_STATE *state, uint32_t pixel, uint32_t brightness)
{
    uint32_t p = probability(state, brightness), first = state->step % 64, bit = 32;
    uint64_t counter = state->key + ((uint64_t)(state->step / 64) * FSPINN_INTENSITIES + pixel) * 32 * GOLDEN;
    uint64_t undecided = ((UINT64_C(1) << FSPINN_STEPS_AT_ONCE) - 1) << first, found = 0;
    if (p == 0) {
        return 0;
    }
    while (undecided != 0 && bit > 0) {
        uint64_t random, one;
        counter += GOLDEN;
        random = mix(counter);
        bit--;
        one = UINT64_C(0) - ((p >> bit) & 1); /* all ones where this bit of p is 1 */
        found |= undecided & one & ~random;
        undecided &= ~(random ^ one);
    }
    return (uint32_t)(found >> first);
}
#endif
