/*
 * A spiking network of fspinn at work, in whole numbers only: image in, output spikes and class out.
 *
 * network.h says what to call and holds the numbers of input and readout, layers.h those of the layers, neurons.h
 * what the neurons of a layer do. fspinn's integer engine (fspinn.lowering.integers) defines
 * what is computed here; the two agree in every output spike. No heap, no floating point, no library.
 *
 * ">>" is only ever used on numbers that are not negative, as C leaves the rest to the compiler.
 */
#define NETWORK_DATA
#include "network.h"

#define NOBODY (-1)

network_count network_counts[NETWORK_FEATURES];
static uint32_t spikes[NETWORK_STEPS_AT_ONCE][NETWORK_INPUT_WORDS]; /* of the inputs of a position */
static const uint8_t *pixels;
static uint32_t step;
#if NETWORK_PUSH
static uint32_t answered; /* positions of the first layer that are done, of the values so far */
#if NETWORK_POOL > 1
static uint16_t sums[NETWORK_SAMPLE_CHANNELS]; /* of the values of a block so far */
static uint32_t added;                         /* how many these are */
#endif
#endif

/* ---- Intensities ---------------------------------------------------------------------------------------- */

#define COUNTS_STEPS (NETWORK_CONTRAST == NETWORK_DELTA || NETWORK_CONTRAST == NETWORK_LEVEL_DELTA)

#if NETWORK_POOL > 1 || (NETWORK_CONTRAST != NETWORK_AS_IT_IS && NETWORK_KEPT == 0)
/* A channel of a pixel: the mean of a block of the image (which may be one pixel), of a half rounded up. */
static uint32_t mean(uint32_t pixel, uint32_t channel)
{
    uint32_t y = pixel / NETWORK_WIDTH * NETWORK_POOL_ROWS, x = pixel % NETWORK_WIDTH * NETWORK_POOL;
    const uint8_t *block = pixels + (y * NETWORK_SAMPLE_WIDTH + x) * NETWORK_SAMPLE_CHANNELS + channel;
    uint32_t row, column, sum = NETWORK_POOL_ROWS * NETWORK_POOL / 2;
    for (row = 0; row < NETWORK_POOL_ROWS; row++) {
        for (column = 0; column < NETWORK_POOL; column++) {
            sum += block[(row * NETWORK_SAMPLE_WIDTH + column) * NETWORK_SAMPLE_CHANNELS];
        }
    }
    return sum / (NETWORK_POOL_ROWS * NETWORK_POOL);
}
#endif

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
#if NETWORK_POOL > 1
        uint8_t means[NETWORK_SAMPLE_CHANNELS];
        uint32_t c;
        for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
            means[c] = (uint8_t)mean(taken, c);
        }
        take(means);
#else
        take(pixels + taken * NETWORK_SAMPLE_CHANNELS);
#endif
    }
}
#endif

#if NETWORK_CONTRAST != NETWORK_DELTA &&                                                                       \
    (NETWORK_CONTRAST != NETWORK_AS_IT_IS || NETWORK_KEPT > 0 || NETWORK_POOL > 1)
/* A channel of a pixel, or of a value of a signal. */
static uint32_t seen(uint32_t pixel, uint32_t channel)
{
#if NETWORK_KEPT > 0
    keep(pixel);
    return values[pixel % NETWORK_KEPT][channel];
#else
    return mean(pixel, channel);
#endif
}
#endif

#if NETWORK_CONTRAST == NETWORK_AS_IT_IS
static uint32_t intensity(uint32_t i)
{
#if NETWORK_KEPT > 0 || NETWORK_POOL > 1
    return seen(i / NETWORK_CHANNELS, i % NETWORK_CHANNELS);
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
    uint32_t red = seen(pixel, 0), green = seen(pixel, 1), blue = seen(pixel, 2);
    if (channel == 0) {
        return (red + green + blue) / 3;
    }
    if (channel == 1) {
        return (256 + red - green) / 2;
    }
    return (512 + 2 * blue - red - green) / 4;
#else
    return seen(pixel, channel);
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

/* ---- Layers --------------------------------------------------------------------------------------------- */

#include "layers.h"

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

#if NETWORK_PUSH && NETWORK_POOL > 1
static void clear_block(void)
{
    uint32_t c;
    for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
        sums[c] = 0;
    }
    added = 0;
}

/* Add a value to its block, and take the mean once it is complete. */
static void add(const uint8_t *value)
{
    uint8_t means[NETWORK_SAMPLE_CHANNELS];
    uint32_t c;
    for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
        sums[c] = (uint16_t)(sums[c] + value[c]);
    }
    if (++added < NETWORK_POOL) {
        return;
    }
    for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
        means[c] = (uint8_t)((sums[c] + NETWORK_POOL / 2u) / NETWORK_POOL);
    }
    take(means);
    clear_block();
}
#endif

void network_start(const uint8_t *image, uint32_t number)
{
    pixels = image;
#if NETWORK_KEPT > 0
    taken = unknown = 0;
#endif
#if NETWORK_PUSH
    answered = 0;
#if NETWORK_POOL > 1
    clear_block();
#endif
#endif
    silence();
    start_encoder(number);
}

#if NETWORK_PUSH
uint32_t network_push(const uint8_t *value)
{
#if NETWORK_POOL > 1
    if (taken < NETWORK_WIDTH) {
        add(value);
    }
#else
    if (taken < NETWORK_WIDTH) {
        take(value);
    }
#endif
    /* A position is complete with its field and what a contrast looks ahead, and all are at the end. */
    while (answered < NETWORK_POSITIONS &&
           (taken == NETWORK_WIDTH ||
            taken >= answered * NETWORK_STRIDE + NETWORK_FIELD_WIDTH + NETWORK_CONTRAST_RADIUS)) {
        answer_at_1(answered++);
#if NETWORK_LAYERS > 1
        if (answered == NETWORK_POSITIONS) {
            answer();
        }
#endif
    }
#if NETWORK_POOL > 1
    return NETWORK_SAMPLE_WIDTH - taken * NETWORK_POOL - added;
#else
    return NETWORK_WIDTH - taken;
#endif
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
        answer_at_1(position);
    }
#if NETWORK_LAYERS > 1
    answer();
#endif
#if NETWORK_EXTRA_FEATURES > 0
    return network_class(features);
#else
    return network_class();
#endif
}
