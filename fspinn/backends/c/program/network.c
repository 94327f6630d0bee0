/*
 * A spiking network of fspinn at work, in whole numbers only: image in, output spikes and class out.
 *
 * network.h holds its numbers, and says what to call. fspinn's integer engine (fspinn.lowering.integers) defines
 * what is computed here; the two agree in every output spike. No heap, no floating point, no library.
 *
 * ">>" is only ever used on numbers that are not negative, as C leaves the rest to the compiler.
 */
#define NETWORK_DATA
#include "network.h"

#define PER_WORD (32 / NETWORK_WEIGHT_BITS)
#define INPUT_WORDS ((NETWORK_INPUTS + 31) / 32)
#define NOBODY (-1)

/* Rows of weights that are looked up at once; more inputs than these in a time step only take longer. */
#define ROWS_AT_ONCE 32

static network_potential potentials[NETWORK_NEURONS];
network_count network_counts[NETWORK_FEATURES];
static uint32_t spikes[NETWORK_STEPS_AT_ONCE][INPUT_WORDS];
static const uint8_t *pixels;
static uint32_t step;
#ifdef NETWORK_INHIBITION_RANKED
static uint32_t answers; /* whether any input has spiked */
#endif
#if NETWORK_POSITIONS > 1
static uint32_t corner; /* the first intensity that the position sees */
static uint32_t base;   /* the first feature of its cell */
#else
static const uint32_t corner = 0, base = 0;
#endif
#if NETWORK_PUSH
static uint32_t answered; /* positions that are done, of the values so far */
#endif

#if NETWORK_REFRACTORY_STEPS > 0
static network_refractory refractory[NETWORK_NEURONS]; /* steps in which a neuron cannot spike yet */
#endif
#ifdef NETWORK_INHIBITION_CLAMP
static uint32_t clamped; /* steps in which only `latest` is not held at 0 */
static int32_t latest;   /* the neuron that spiked last */
#elif defined NETWORK_INHIBITION_LAYER
static int32_t exempt; /* whose inhibitory partner is about to spike */
#if NETWORK_INHIBITION_STEPS > 0
static network_rest rest[NETWORK_NEURONS]; /* steps in which a partner cannot spike yet */
#endif
#endif

/* ---- Intensities ---------------------------------------------------------------------------------------- */

#define COUNTS_STEPS (NETWORK_CONTRAST == NETWORK_DELTA || NETWORK_CONTRAST == NETWORK_LEVEL_DELTA)

#if NETWORK_KEPT > 0
/* Of a signal only the last values are kept, and the levels from which steps are counted. */
#if NETWORK_CONTRAST != NETWORK_DELTA
static uint8_t values[NETWORK_KEPT][NETWORK_SAMPLE_CHANNELS];
#endif
#if COUNTS_STEPS
static uint8_t levels[NETWORK_KEPT][NETWORK_SAMPLE_CHANNELS];
#endif
static uint32_t taken;   /* number of the next value */
static uint32_t unknown; /* those before this number were not taken */

/* Take the next value, all channels of it. */
static void take(const uint8_t *value)
{
    uint32_t c;
    for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
#if NETWORK_CONTRAST != NETWORK_DELTA
        values[taken % NETWORK_KEPT][c] = value[c];
#endif
#if COUNTS_STEPS
        uint32_t now = value[c];
        if (taken % NETWORK_WIDTH > 0) {
            /* The level follows in whole steps, so it stays back by what is left over. */
            uint32_t level = levels[(taken - 1) % NETWORK_KEPT][c];
            now = now > level ? now - (now - level) % NETWORK_DELTA_STEP : now + (level - now) % NETWORK_DELTA_STEP;
        }
        levels[taken % NETWORK_KEPT][c] = (uint8_t)now;
#endif
    }
    taken++;
}

/* See to it that a value is kept: if it is gone or far ahead, start anew from its row. */
static void keep(uint32_t pixel)
{
    if (pixel < taken && pixel >= unknown && pixel + NETWORK_KEPT >= taken) {
        return;
    }
    if (pixel < taken || pixel / NETWORK_WIDTH * NETWORK_WIDTH > taken) {
        taken = unknown = pixel / NETWORK_WIDTH * NETWORK_WIDTH;
    }
    while (taken <= pixel) {
        take(pixels + taken * NETWORK_SAMPLE_CHANNELS);
    }
}
#endif

#if NETWORK_CONTRAST != NETWORK_DELTA && (NETWORK_CONTRAST != NETWORK_AS_IT_IS || NETWORK_KEPT > 0)
/* The channels of a pixel, or of a value of a signal. */
static const uint8_t *channels_of(uint32_t pixel)
{
#if NETWORK_KEPT > 0
    keep(pixel);
    return values[pixel % NETWORK_KEPT];
#else
    return pixels + pixel * NETWORK_SAMPLE_CHANNELS;
#endif
}
#endif

#if NETWORK_CONTRAST == NETWORK_AS_IT_IS
static uint32_t intensity(uint32_t i)
{
#if NETWORK_KEPT > 0
    return channels_of(i / NETWORK_CHANNELS)[i % NETWORK_CHANNELS];
#else
    return pixels[i];
#endif
}
#else
#if NETWORK_CONTRAST != NETWORK_DELTA
/* A channel of a pixel before it is split. */
static uint32_t whole(uint32_t pixel, uint32_t channel)
{
#if NETWORK_CONTRAST_COLOURS
    const uint8_t *rgb = channels_of(pixel);
    if (channel == 0) {
        return ((uint32_t)rgb[0] + rgb[1] + rgb[2]) / 3;
    }
    if (channel == 1) {
        return (256u + rgb[0] - rgb[1]) / 2;
    }
    return (512u + 2u * rgb[2] - rgb[0] - rgb[1]) / 4;
#else
    return channels_of(pixel)[channel];
#endif
}

/* How much a number is above another, or with `below` how much below, times a gain. */
static uint32_t above(uint32_t number, uint32_t other, uint32_t below, uint32_t gain)
{
    uint32_t gap = below ? other - number : number - other;
    if (below ? number >= other : number <= other) {
        return 0;
    }
    return gap * gain < 255 ? gap * gain : 255;
}
#endif

#if NETWORK_CONTRAST == NETWORK_ON_OFF
/* How much brighter (even channels) or darker (odd ones) than the mean around it a pixel is. */
static uint32_t intensity(uint32_t i)
{
    uint32_t channel = i % NETWORK_CHANNELS, x = i / NETWORK_CHANNELS % NETWORK_WIDTH;
    uint32_t y = i / NETWORK_CHANNELS / NETWORK_WIDTH, row, column, sum = 0;
    uint32_t top = y > NETWORK_CONTRAST_RADIUS ? y - NETWORK_CONTRAST_RADIUS : 0;
    uint32_t left = x > NETWORK_CONTRAST_RADIUS ? x - NETWORK_CONTRAST_RADIUS : 0;
    uint32_t bottom = y + NETWORK_CONTRAST_RADIUS + 1, right = x + NETWORK_CONTRAST_RADIUS + 1;
    bottom = bottom < NETWORK_HEIGHT ? bottom : NETWORK_HEIGHT;
    right = right < NETWORK_WIDTH ? right : NETWORK_WIDTH;
    for (row = top; row < bottom; row++) {
        for (column = left; column < right; column++) {
            sum += whole(row * NETWORK_WIDTH + column, channel / 2);
        }
    }
    return above(whole(y * NETWORK_WIDTH + x, channel / 2), sum / ((bottom - top) * (right - left)), channel % 2,
                 NETWORK_CONTRAST_GAIN);
}
#elif NETWORK_CONTRAST == NETWORK_LEVEL
/* How far a signal is above (even channels) or below (odd ones) the middle of its range. */
static uint32_t intensity(uint32_t i)
{
    return above(whole(i / NETWORK_CHANNELS, i % NETWORK_CHANNELS / 2), 128, i % 2, NETWORK_CONTRAST_GAIN);
}
#else
/* How many steps a signal goes up (even channels) or down (odd ones); with the level, of two the second. */
static uint32_t intensity(uint32_t i)
{
    uint32_t pixel = i / NETWORK_CHANNELS, of = i % NETWORK_CHANNELS / NETWORK_CONTRAST_CHANNELS;
    uint32_t before, after, steps;
#if NETWORK_CONTRAST == NETWORK_LEVEL_DELTA
    if (i % NETWORK_CONTRAST_CHANNELS < 2) {
        return above(whole(pixel, of), 128, i % 2, NETWORK_CONTRAST_GAIN);
    }
#endif
    if (pixel % NETWORK_WIDTH == 0) {
        return 0;
    }
    keep(pixel - 1);
    before = levels[(pixel - 1) % NETWORK_KEPT][of];
    keep(pixel);
    after = levels[pixel % NETWORK_KEPT][of];
    if (i % 2 == 0) {
        steps = after > before ? (after - before) / NETWORK_DELTA_STEP : 0;
    } else {
        steps = before > after ? (before - after) / NETWORK_DELTA_STEP : 0;
    }
    return steps * NETWORK_DELTA_GAIN < 255 ? steps * NETWORK_DELTA_GAIN : 255;
}
#endif
#endif

/* ---- Input spikes: counter-based randomness, the same as fspinn's ------------------------------------ */

#if NETWORK_ENCODER == NETWORK_POISSON || NETWORK_ENCODER == NETWORK_REGULAR ||                               \
    NETWORK_ENCODER == NETWORK_UNSCALED

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

/* A pixel's probability to spike is pixel * mantissa * 2**exponent, in units of 2**-32. */
static uint64_t mantissa;
static int32_t exponent;

#if NETWORK_ENCODER != NETWORK_UNSCALED
/*
 * Set the scale to NETWORK_RATE / sqrt(square), in the arithmetic that fspinn's encoder has: 53 bits, rounded
 * to nearest after the root and after the quotient. Both are found to 54 bits, digit by digit; neither a root
 * nor a quotient of such numbers is ever halfway between two of 53 bits, so the last one decides.
 */
static void set_scale(uint64_t square)
{
    uint64_t root = 0, left = 0, quotient = 0, rate = NETWORK_RATE_MANTISSA;
    int32_t i, halvings = 21;
    mantissa = 0;
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
    exponent = NETWORK_RATE_EXPONENT + halvings - 52;
    if (rate < root) {
        rate <<= 1;
        exponent--;
    }
    for (i = 0; i < 54; i++) {
        quotient <<= 1;
        if (rate >= root) {
            rate -= root;
            quotient |= 1;
        }
        rate <<= 1;
    }
    mantissa = (quotient + 1) >> 1;
}

static uint64_t square_of_all(void)
{
    uint64_t square = 0;
    uint32_t i;
    for (i = 0; i < NETWORK_INTENSITIES; i++) {
        uint32_t found = intensity(i);
        square += found * found;
    }
    return square;
}
#endif

/* The product is rounded to 53 bits, of a half to the even one, and then down to a whole number. */
static uint32_t probability(uint32_t pixel)
{
    uint64_t product = pixel * mantissa, whole, rest_of_it, half;
    int32_t extra = 0, below;
    while (product >> extra >> 53 != 0) {
        extra++;
    }
    half = (UINT64_C(1) << extra) >> 1;
    rest_of_it = product & ((UINT64_C(1) << extra) - 1);
    whole = product >> extra;
    whole += rest_of_it > half || (rest_of_it == half && extra > 0 && (whole & 1));
    below = -(exponent + extra);
    if (whole == 0 || below > 63) {
        return 0;
    }
    if (below <= 0 || whole >> below > 0xFFFFFFFFu) {
        return 0xFFFFFFFFu;
    }
    return (uint32_t)(whole >> below);
}
#endif

#if NETWORK_ENCODER == NETWORK_REGULAR

static void start_encoder(uint32_t number)
{
    (void)number;
    set_scale(square_of_all());
}

/* The steps from `step` on in which a pixel spikes, one bit each: when a sum passes a whole number. */
static uint32_t steps_of(uint32_t pixel, uint32_t brightness)
{
    uint32_t p = probability(brightness), found = 0, s;
    uint32_t sum = pixel * (uint32_t)(GOLDEN >> 32) + step * p;
    for (s = 0; s < NETWORK_STEPS_AT_ONCE; s++) {
        sum += p;
        found |= (uint32_t)(sum < p) << s;
    }
    return found;
}

#elif NETWORK_ENCODER == NETWORK_TTFS

#if NETWORK_WHITE
static void start_encoder(uint32_t number)
{
    (void)number;
}
#else
static uint32_t brightest;
#if NETWORK_MOST_SPIKES < NETWORK_INTENSITIES
static uint32_t least, stop;
#endif

/* Those that are brighter than `least` spike, and those before `stop` that are as bright as it. */
static void start_encoder(uint32_t number)
{
    uint32_t i;
    (void)number;
    brightest = 0;
    for (i = 0; i < NETWORK_INTENSITIES; i++) {
        uint32_t found = intensity(i);
        brightest = found > brightest ? found : brightest;
    }
#if NETWORK_MOST_SPIKES < NETWORK_INTENSITIES
    /* The highest level that enough of them reach, bit by bit; 0 if there are too few. */
    uint32_t level, above;
    least = 0;
    for (level = 128; level > 0; level >>= 1) {
        for (i = 0, above = 0; i < NETWORK_INTENSITIES; i++) {
            above += intensity(i) >= (least | level);
        }
        least |= above >= NETWORK_MOST_SPIKES ? level : 0;
    }
    for (i = 0, above = 0; i < NETWORK_INTENSITIES; i++) {
        above += intensity(i) > least;
    }
    for (stop = 0; stop < NETWORK_INTENSITIES && above < NETWORK_MOST_SPIKES; stop++) {
        above += intensity(stop) == least;
    }
#endif
}
#endif

static uint32_t steps_of(uint32_t pixel, uint32_t brightness)
{
    uint32_t t;
#if NETWORK_WHITE
    t = NETWORK_INPUT_STEPS - 1 - (brightness * NETWORK_INPUT_STEPS >> 8);
#else
#if NETWORK_MOST_SPIKES < NETWORK_INTENSITIES
    if (brightness < least || (brightness == least && pixel >= stop)) {
        return 0;
    }
#endif
    t = (brightest - brightness) * (NETWORK_INPUT_STEPS - 1) / brightest;
#endif
    (void)pixel;
    return t >= step && t - step < NETWORK_STEPS_AT_ONCE ? UINT32_C(1) << (t - step) : 0;
}

#else /* poisson, unscaled */

static uint64_t key;

static uint64_t mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

static uint64_t stream(uint64_t name, uint64_t part_of_it)
{
    return mix((name ^ part_of_it) + GOLDEN);
}

static void start_encoder(uint32_t number)
{
#if NETWORK_ENCODER == NETWORK_UNSCALED
    mantissa = NETWORK_RATE_MANTISSA;
    exponent = NETWORK_RATE_EXPONENT;
#else
    set_scale(square_of_all());
#endif
    key = stream(stream(stream(0, NETWORK_SEED), NETWORK_PURPOSE), number);
}

/*
 * The steps from `step` on in which a pixel spikes, one bit each: a trial for every step, those of 64 steps
 * from the same random words. Their bits are compared with the probability, from the highest on.
 */
static uint32_t steps_of(uint32_t pixel, uint32_t brightness)
{
    uint32_t p = probability(brightness), first = step % 64, bit = 32;
    uint64_t counter = key + ((uint64_t)(step / 64) * NETWORK_INTENSITIES + pixel) * 32 * GOLDEN;
    uint64_t undecided = ((UINT64_C(1) << NETWORK_STEPS_AT_ONCE) - 1) << first, found = 0;
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

/* Find out which inputs spike in the next steps. */
static void encode(void)
{
    uint32_t i, s, row, k, input = 0;
    for (s = 0; s < NETWORK_STEPS_AT_ONCE; s++) {
        for (i = 0; i < INPUT_WORDS; i++) {
            spikes[s][i] = 0;
        }
    }
    for (row = 0; row < NETWORK_FIELD_ROWS; row++) {
        i = corner + row * NETWORK_WIDTH * NETWORK_CHANNELS;
        for (k = 0; k < NETWORK_FIELD_RUN; k++, i++) {
            uint32_t brightness = intensity(i), found = brightness == 0 ? 0 : steps_of(i, brightness);
#if NETWORK_INPUTS < NETWORK_FIELD_ROWS * NETWORK_FIELD_RUN
            if ((input_mask[i / 32] >> i % 32 & 1) == 0) {
                continue;
            }
#endif
            for (s = 0; found != 0; s++, found >>= 1) {
                spikes[s][input / 32] |= (found & 1) << input % 32;
            }
            input++;
        }
    }
}

/* ---- Neurons ----------------------------------------------------------------------------------------- */

/* Look for inputs that spike, from *input on, until there is no room; return how many there were. */
static uint32_t collect(const uint32_t *spiking, uint32_t *input, uint32_t *rows)
{
    uint32_t count = 0;
    while (*input < NETWORK_INPUTS && count < ROWS_AT_ONCE) {
        uint32_t left = spiking[*input / 32] >> *input % 32;
        if (left == 0) {
            *input = (*input / 32 + 1) * 32;
            continue;
        }
        while ((left & 1) == 0) {
            left >>= 1;
            (*input)++;
        }
        rows[count++] = (*input)++;
    }
    return count;
}

/*
 * Add up the weights that lie in one word of each of these rows, several in one addition: those at even places
 * of the word, and those at odd ones, have the bits of their neighbours for their sums. ROWS_THAT_FIT rows are
 * added so. A sign bit is turned over, which adds HALF to each weight, and is taken off at the end.
 */
#define WEIGHT_MASK ((UINT32_C(1) << NETWORK_WEIGHT_BITS) - 1)
#define HALF (NETWORK_WEIGHTS_SIGNED ? INT32_C(1) << (NETWORK_WEIGHT_BITS - 1) : 0)
#define EVERY_PLACE (((UINT64_C(1) << PER_WORD * NETWORK_WEIGHT_BITS) - 1) / WEIGHT_MASK)
#define EVEN_PLACES \
    (uint32_t)(((UINT64_C(1) << (PER_WORD + PER_WORD % 2) * NETWORK_WEIGHT_BITS) - 1) / (WEIGHT_MASK + 2))
#define SUM_BITS (PER_WORD % 2 == 0 ? 2 * NETWORK_WEIGHT_BITS : 32 - (PER_WORD - 1) * NETWORK_WEIGHT_BITS)
#define ROWS_THAT_FIT (uint32_t)(((UINT64_C(1) << SUM_BITS) - 1) / WEIGHT_MASK)

static void add_rows(const uint32_t *rows, uint32_t count, uint32_t column, int32_t *sums)
{
    uint32_t e = 0, k;
    while (e < count) {
        uint32_t even = 0, odd = 0, end = count - e > ROWS_THAT_FIT ? e + ROWS_THAT_FIT : count;
        for (; e < end; e++) {
            uint32_t word = weights[rows[e]][column] ^ (uint32_t)(EVERY_PLACE * HALF);
            even += word & EVEN_PLACES;
            odd += word >> NETWORK_WEIGHT_BITS & EVEN_PLACES;
        }
        for (k = 0; k < PER_WORD; k++) {
            uint32_t both = k % 2 == 0 ? even : odd;
            both >>= k / 2 * 2 * NETWORK_WEIGHT_BITS;
            sums[k] += (int32_t)(both & (0xFFFFFFFFu >> (32 - SUM_BITS)));
        }
    }
    for (k = 0; k < PER_WORD && HALF != 0; k++) {
        sums[k] -= (int32_t)count * HALF;
    }
}

#if NETWORK_LEAK > 0 || defined NETWORK_INHIBITION_LATERAL || defined NETWORK_INHIBITION_LAYER
/* v * of / 65536, rounded down. */
static int32_t part(int32_t v, network_product of)
{
    network_product product = v * of;
    return (int32_t)(product >= 0 ? product >> 16 : ~(~product >> 16));
}
#endif

static int32_t scaled(int32_t sum)
{
#if NETWORK_SHIFT >= 0
    return sum * (INT32_C(1) << NETWORK_SHIFT);
#else
    return sum >= 0 ? sum >> -NETWORK_SHIFT : ~(~sum >> -NETWORK_SHIFT);
#endif
}

static int32_t cut(int32_t v)
{
    v = v > NETWORK_LOWEST ? v : NETWORK_LOWEST;
    return v < NETWORK_HIGHEST ? v : NETWORK_HIGHEST;
}

static int32_t threshold(uint32_t j)
{
#if NETWORK_ADAPTED
    return NETWORK_THRESHOLD + theta[j] * (INT32_C(1) << NETWORK_THETA_SHIFT);
#else
    (void)j;
    return NETWORK_THRESHOLD;
#endif
}

#if defined NETWORK_INHIBITION_LATERAL || defined NETWORK_INHIBITION_LAYER
static int32_t after_drop(int32_t v)
{
    return cut(v - NETWORK_DROP - part(v, NETWORK_DROP_PART));
}
#endif

/* Leak, inhibition and input of a neuron in a step; returns its potential. */
static int32_t advance(uint32_t j, int32_t sum)
{
    int32_t v = potentials[j];
#ifdef NETWORK_INHIBITION_CLAMP
    if (clamped > 0 && (int32_t)j != latest) {
        return v;
    }
#endif
#if NETWORK_LEAK > 0
    v -= part(v, NETWORK_LEAK);
#endif
#ifdef NETWORK_INHIBITION_LAYER
    if (exempt != NOBODY && (int32_t)j != exempt) {
        v = after_drop(v);
    }
#if NETWORK_INHIBITION_STEPS > 0
    if ((int32_t)j == exempt) {
        rest[j] = NETWORK_INHIBITION_STEPS;
    } else if (rest[j] > 0) {
        rest[j]--;
    }
#endif
#endif
    v = cut(v + scaled(sum));
    potentials[j] = (network_potential)v;
    return v;
}

/* Whether a neuron may spike; called once in a step. */
static int may_spike(uint32_t j)
{
#if NETWORK_REFRACTORY_STEPS > 0
    if (refractory[j] > 0) {
        refractory[j]--;
        return 0;
    }
#endif
    (void)j;
    return 1;
}

#if !defined NETWORK_INHIBITION_FIRST && !defined NETWORK_INHIBITION_RANKED
/* What becomes of the others when a neuron has spiked. */
static void inhibit(uint32_t winner)
{
#ifdef NETWORK_INHIBITION_LATERAL
    uint32_t j;
    for (j = 0; j < NETWORK_NEURONS; j++) {
        if (j != winner) {
            potentials[j] = (network_potential)after_drop(potentials[j]);
        }
    }
#elif defined NETWORK_INHIBITION_CLAMP
    uint32_t j;
    for (j = 0; j < NETWORK_NEURONS; j++) {
        potentials[j] = 0;
    }
    clamped = NETWORK_INHIBITION_STEPS;
    latest = (int32_t)winner;
#elif NETWORK_INHIBITION_STEPS > 0
    exempt = rest[winner] == 0 ? (int32_t)winner : NOBODY;
#else
    exempt = (int32_t)winner;
#endif
}
#endif

/* ---- Readout ----------------------------------------------------------------------------------------- */

/* Some bits of a row of words, from a position on. */
static uint32_t bits(const uint32_t *words, uint32_t position, uint32_t width)
{
    uint64_t found = words[position / 32];
    if (position % 32 + width > 32) {
        found |= (uint64_t)words[position / 32 + 1] << 32;
    }
    return (uint32_t)(found >> position % 32) & (0xFFFFFFFFu >> (32 - width));
}

/* Where number i of many lies that are as wide: none across two words. */
static uint32_t place(uint32_t i, uint32_t width)
{
    return i / (32 / width) * 32 + i % (32 / width) * width;
}

#if NETWORK_EXTRA_FEATURES > 0
/* A feature is a thermometer: of its inputs, rows after those of the spike counts, so many are on as its level is. */
#define LEVEL_OF(feature) ((uint32_t)beside[feature] >> (8 - NETWORK_LEVEL_BITS))
#define ROW_OF(feature) (NETWORK_FEATURES + (feature) * ((1u << NETWORK_LEVEL_BITS) - 1))
static const uint8_t *beside;
#endif

#if NETWORK_READOUT == NETWORK_LABELS

typedef uint64_t score_type;

/* A spike speaks for the class of its neuron, in the share that the class gives to each of its neurons. */
static score_type score_of(uint32_t c)
{
    uint64_t votes = 0;
    uint32_t j;
    for (j = 0; j < NETWORK_FEATURES; j++) {
        uint32_t label = bits(labels, place(j, NETWORK_READOUT_BITS), NETWORK_READOUT_BITS);
        votes += label == c ? network_counts[j] : 0u;
    }
#if NETWORK_EXTRA_FEATURES > 0
    for (j = 0; j < NETWORK_EXTRA_FEATURES; j++) {
        uint32_t row = ROW_OF(j), end = row + LEVEL_OF(j);
        for (; row < end; row++) {
            uint32_t label = bits(labels, place(row, NETWORK_READOUT_BITS), NETWORK_READOUT_BITS);
            votes += label == c ? NETWORK_EXTRA_SPIKES : 0u;
        }
    }
#endif
    return votes * shares[c];
}

#else

typedef int64_t score_type;

static int64_t entry(uint32_t position)
{
    uint32_t found = bits(table, position, NETWORK_READOUT_BITS);
#if NETWORK_READOUT_SIGNED
    return (int64_t)found - ((int64_t)(found >> (NETWORK_READOUT_BITS - 1)) << NETWORK_READOUT_BITS);
#else
    return (int64_t)found;
#endif
}

/* A spike speaks for every class, as the table says. */
static score_type score_of(uint32_t c)
{
    int64_t score = bias[c];
    uint32_t j;
    for (j = 0; j < NETWORK_FEATURES; j++) {
        if (network_counts[j] > 0) {
            score += network_counts[j] * entry(place(j * NETWORK_CLASSES + c, NETWORK_READOUT_BITS));
        }
    }
#if NETWORK_EXTRA_FEATURES > 0
    for (j = 0; j < NETWORK_EXTRA_FEATURES; j++) {
        uint32_t row = ROW_OF(j), end = row + LEVEL_OF(j);
        for (; row < end; row++) {
            score += NETWORK_EXTRA_SPIKES * entry(place(row * NETWORK_CLASSES + c, NETWORK_READOUT_BITS));
        }
    }
#endif
    return score;
}
#endif

#if NETWORK_EXTRA_FEATURES > 0
int32_t network_class(const uint8_t *features)
#else
int32_t network_class(void)
#endif
{
    score_type highest = 0;
#if NETWORK_REJECT > 0
    score_type second = 0;
#endif
    uint32_t c;
    int32_t best = 0;
#if NETWORK_REJECT == 0 && !NETWORK_ANSWERS_SILENCE
    uint32_t j = 0;
    while (j < NETWORK_FEATURES && network_counts[j] == 0) {
        j++;
    }
#if NETWORK_EXTRA_FEATURES > 0
    while (j >= NETWORK_FEATURES && j < NETWORK_FEATURES + NETWORK_EXTRA_FEATURES &&
           features[j - NETWORK_FEATURES] >> (8 - NETWORK_LEVEL_BITS) == 0) {
        j++;
    }
#endif
    if (j == NETWORK_FEATURES + NETWORK_EXTRA_FEATURES) {
        return NOBODY;
    }
#endif
#if NETWORK_EXTRA_FEATURES > 0
    beside = features;
#endif
    for (c = 0; c < NETWORK_CLASSES; c++) {
        score_type score = score_of(c);
        if (c == 0 || score > highest) {
#if NETWORK_REJECT > 0
            second = highest;
#endif
            highest = score;
            best = (int32_t)c;
        }
#if NETWORK_REJECT > 0
        else if (c == 1 || score > second) {
            second = score;
        }
#endif
    }
#if NETWORK_REJECT > 0
    if ((uint64_t)(highest - second) < NETWORK_REJECT) {
        return NOBODY;
    }
#endif
    return best;
}

/* ---- Values of a signal, and features, as they were recorded ------------------------------------------- */

#if NETWORK_SCALED || NETWORK_FEATURES_SCALED
static uint8_t in_byte(int32_t value, int32_t low, uint32_t span)
{
    uint32_t height = (uint32_t)value - (uint32_t)low;
    network_scale rest_of_it, scaled_to;
    if (value <= low) {
        return 0;
    }
    if (height >= span) {
        return 255;
    }
    scaled_to = (network_scale)height * 255u / span;
    rest_of_it = (network_scale)height * 255u % span;
    scaled_to += rest_of_it > span - rest_of_it || (rest_of_it == span - rest_of_it && (scaled_to & 1));
    return (uint8_t)scaled_to; /* to nearest, of a half to the even one */
}
#endif

#if NETWORK_SCALED
uint8_t network_scaled(int32_t value, uint32_t channel)
{
    return in_byte(value, lows[channel], spans[channel]);
}
#endif

#if NETWORK_FEATURES_SCALED
uint8_t network_feature(int32_t value, uint32_t number)
{
    return in_byte(value, feature_lows[number], feature_spans[number]);
}
#endif

/* ---- What to call ------------------------------------------------------------------------------------- */

void network_look(uint32_t position)
{
    uint32_t j;
#if NETWORK_POSITIONS > 1
    uint32_t row = position / NETWORK_COLUMNS, column = position % NETWORK_COLUMNS;
    corner = (row * NETWORK_WIDTH + column) * NETWORK_STRIDE * NETWORK_CHANNELS;
    base = row * NETWORK_CELL_ROWS / NETWORK_ROWS * NETWORK_CELL_COLUMNS;
    base = (base + column * NETWORK_CELL_COLUMNS / NETWORK_COLUMNS) * NETWORK_NEURONS;
#else
    (void)position;
#endif
    step = 0;
#ifdef NETWORK_INHIBITION_RANKED
    answers = 0;
#endif
    for (j = 0; j < NETWORK_NEURONS; j++) {
        potentials[j] = 0;
#if NETWORK_REFRACTORY_STEPS > 0
        refractory[j] = 0;
#endif
#if defined NETWORK_INHIBITION_LAYER && NETWORK_INHIBITION_STEPS > 0
        rest[j] = 0;
#endif
    }
#ifdef NETWORK_INHIBITION_CLAMP
    clamped = 0;
#elif defined NETWORK_INHIBITION_LAYER
    exempt = NOBODY;
#endif
}

void network_start(const uint8_t *image, uint32_t number)
{
    uint32_t j;
    pixels = image;
#if NETWORK_KEPT > 0
    taken = unknown = 0;
#endif
#if NETWORK_PUSH
    answered = 0;
#endif
    for (j = 0; j < NETWORK_FEATURES; j++) {
        network_counts[j] = 0;
    }
    start_encoder(number);
}

int32_t network_step(void)
{
    const uint32_t *spiking = spikes[step % NETWORK_STEPS_AT_ONCE];
    uint32_t rows[ROWS_AT_ONCE], input = 0, count, j, again;
    int32_t sums[PER_WORD], winner = NOBODY, best = -1;
    if (step % NETWORK_STEPS_AT_ONCE == 0) {
        encode();
    }
#ifdef NETWORK_INHIBITION_RANKED
    if (step >= NETWORK_INPUT_STEPS) {
        input = NETWORK_INPUTS; /* it is over */
    }
#endif
    count = collect(spiking, &input, rows);
#ifdef NETWORK_INHIBITION_RANKED
    answers |= count > 0;
#endif
    again = input < NETWORK_INPUTS;
    for (j = 0; j < NETWORK_NEURONS; j++) {
        uint32_t place_in_word = j % PER_WORD;
        int32_t above;
        if (place_in_word == 0) {
            uint32_t k;
            for (k = 0; k < PER_WORD; k++) {
                sums[k] = 0;
            }
            add_rows(rows, count, j / PER_WORD, sums);
            if (again) {
                /* Not all rows had room: add the others, and begin anew for the next word. */
                while (input < NETWORK_INPUTS) {
                    count = collect(spiking, &input, rows);
                    add_rows(rows, count, j / PER_WORD, sums);
                }
                input = 0;
                count = collect(spiking, &input, rows);
            }
        }
        above = advance(j, sums[place_in_word]) - threshold(j);
#ifdef NETWORK_INHIBITION_RANKED
        if (may_spike(j) && answers && step >= NETWORK_INPUT_STEPS && (winner == NOBODY || above > best)) {
#else
        if (may_spike(j) && above > best) {
#endif
            winner = (int32_t)j;
            best = above;
        }
    }
#ifdef NETWORK_INHIBITION_CLAMP
    clamped -= clamped > 0;
#elif defined NETWORK_INHIBITION_LAYER
    exempt = NOBODY;
#endif
    step++;
    if (winner == NOBODY) {
        return NOBODY;
    }
    network_counts[base + (uint32_t)winner]++;
#ifdef NETWORK_INHIBITION_RANKED
    potentials[winner] = (network_potential)cut(potentials[winner] - NETWORK_DROP);
#elif !defined NETWORK_INHIBITION_FIRST
    potentials[winner] = 0;
    inhibit((uint32_t)winner);
#endif
#if NETWORK_REFRACTORY_STEPS > 0
    refractory[winner] = NETWORK_REFRACTORY_STEPS;
#endif
    return winner;
}

static void answer_at(uint32_t position)
{
    uint32_t t;
    network_look(position);
    for (t = 0; t < NETWORK_STEPS; t++) {
#ifdef NETWORK_INHIBITION_FIRST
        if (network_step() != NOBODY) {
            break;
        }
#else
        (void)network_step();
#endif
    }
}

#if NETWORK_PUSH
uint32_t network_push(const uint8_t *value)
{
    if (taken < NETWORK_WIDTH) {
        take(value);
    }
    /* A position is complete with its field and what a contrast looks ahead, and all are at the end. */
    while (answered < NETWORK_POSITIONS &&
           (taken == NETWORK_WIDTH ||
            taken >= answered * NETWORK_STRIDE + NETWORK_FIELD_RUN / NETWORK_CHANNELS + NETWORK_CONTRAST_RADIUS)) {
        answer_at(answered++);
    }
    return NETWORK_WIDTH - taken;
}
#endif

#if NETWORK_EXTRA_FEATURES > 0
int32_t network_answer(const uint8_t *image, uint32_t number, const uint8_t *features)
#else
int32_t network_answer(const uint8_t *image, uint32_t number)
#endif
{
    uint32_t position;
    network_start(image, number);
    for (position = 0; position < NETWORK_POSITIONS; position++) {
        answer_at(position);
    }
#if NETWORK_EXTRA_FEATURES > 0
    return network_class(features);
#else
    return network_class();
#endif
}
