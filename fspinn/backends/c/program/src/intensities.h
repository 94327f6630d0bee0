/*
 * What the network sees of a sample: bytes, the means of blocks of them, or what a contrast makes of them.
 * Included once in each network's own file, after its numbers.
 */
#define COUNTS_STEPS (FSPINN_CONTRAST == FSPINN_DELTA || FSPINN_CONTRAST == FSPINN_LEVEL_DELTA)

/* A byte of the sample; those after it in its row, and in its block of pixels, lie behind it. */
#if FSPINN_KEPT_ROWS > 0
static const uint8_t *sample_at(const FSPINN_STATE *state, uint32_t place)
{
    /* The last rows lie in a ring, blocks as a whole; `lap` is the place of the row that lies first in it. */
    return state->rows + (place >= state->lap ? place - state->lap : place + sizeof state->rows - state->lap);
}
#else
#define sample_at(state, place) ((state)->pixels + (place))
#endif

/* Numbers of intensities, in no more bits than they need: an AVR divides those of 32 bits slowly. */
#if FSPINN_INTENSITIES > 0xFFFF
typedef uint32_t intensity_number;
#else
typedef uint16_t intensity_number;
#endif
#if FSPINN_CHANNELS > 0xFF
typedef uint16_t channel_number;
#else
typedef uint8_t channel_number;
#endif

#if FSPINN_POOL > 1 || (FSPINN_CONTRAST != FSPINN_AS_IT_IS && FSPINN_KEPT == 0)
#define BLOCK (FSPINN_POOL * FSPINN_SAMPLE_CHANNELS)

/* Where a block of the image (which may be one pixel) begins; the next one of its row lies BLOCK bytes on. */
static const uint8_t *block_at(const FSPINN_STATE *state, uint16_t y, intensity_number x)
{
    (void)state;
    return sample_at(state, (UINT32_C(1) * y * FSPINN_POOL_ROWS * FSPINN_SAMPLE_WIDTH) * FSPINN_SAMPLE_CHANNELS +
                                UINT32_C(1) * x * BLOCK);
}

/* The mean of a channel of a block, of a half rounded up. */
static uint16_t mean(const uint8_t *block, channel_number channel)
{
#if FSPINN_POOL_ROWS * FSPINN_POOL > 1
    uint16_t row, column;
    uint32_t sum = (uint32_t)FSPINN_POOL_ROWS * FSPINN_POOL / 2;
    for (row = 0; row < FSPINN_POOL_ROWS; row++) {
        for (column = 0; column < FSPINN_POOL; column++) {
            sum += block[(UINT32_C(1) * row * FSPINN_SAMPLE_WIDTH + column) * FSPINN_SAMPLE_CHANNELS + channel];
        }
    }
    return (uint16_t)(sum / ((uint32_t)FSPINN_POOL_ROWS * FSPINN_POOL));
#else
    return block[channel];
#endif
}
#endif

#if FSPINN_KEPT > 0
/* Of a signal only the last values are kept, and the levels from which steps are counted. */

/* Take the next value, all channels of it. */
static void take(FSPINN_STATE *state, const uint8_t *value)
{
    uint32_t c;
    for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
#if FSPINN_CONTRAST != FSPINN_DELTA
        state->values[state->taken % FSPINN_KEPT][c] = value[c];
#endif
#if COUNTS_STEPS
        uint32_t now = value[c];
        if (state->taken % FSPINN_WIDTH > 0) {
            /* The level follows in whole steps, so it stays back by what is left over. */
            uint32_t level = state->levels[(state->taken - 1) % FSPINN_KEPT][c];
            now = now > level ? now - (now - level) % FSPINN_DELTA_STEP : now + (level - now) % FSPINN_DELTA_STEP;
        }
        state->levels[state->taken % FSPINN_KEPT][c] = (uint8_t)now;
#endif
    }
    state->taken++;
}

/* See to it that a value is kept: if it is gone or far ahead, start anew from its row. */
static void keep(FSPINN_STATE *state, uint32_t pixel)
{
    if (pixel < state->taken && pixel >= state->unknown && pixel + FSPINN_KEPT >= state->taken) {
        return;
    }
    if (pixel < state->taken || pixel / FSPINN_WIDTH * FSPINN_WIDTH > state->taken) {
        state->taken = state->unknown = pixel / FSPINN_WIDTH * FSPINN_WIDTH;
    }
    while (state->taken <= pixel) {
#if FSPINN_POOL > 1
        const uint8_t *block = block_at(state, (uint16_t)(state->taken / FSPINN_WIDTH),
                                        (intensity_number)(state->taken % FSPINN_WIDTH));
        uint8_t means[FSPINN_SAMPLE_CHANNELS];
        uint32_t c;
        for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
            means[c] = (uint8_t)mean(block, (channel_number)c);
        }
        take(state, means);
#else
        take(state, sample_at(state, state->taken * FSPINN_SAMPLE_CHANNELS));
#endif
    }
}
#endif

#if FSPINN_CONTRAST != FSPINN_DELTA &&                                                                       \
    (FSPINN_CONTRAST != FSPINN_AS_IT_IS || FSPINN_KEPT > 0 || FSPINN_POOL > 1)
/* Where a pixel is found, or a value of a signal; the next one of its row is next_place. */
#if FSPINN_KEPT > 0
typedef intensity_number pixel_place;
#define next_place(at) ((pixel_place)((at) + 1u))
#define place_of(state, y, x) ((pixel_place)((pixel_place)(y) * FSPINN_WIDTH + (x)))
#else
typedef const uint8_t *pixel_place;
#define next_place(at) ((at) + BLOCK)
#define place_of block_at
#endif

static uint16_t seen(FSPINN_STATE *state, pixel_place at, channel_number channel)
{
#if FSPINN_KEPT > 0
    keep(state, at);
    return state->values[at % FSPINN_KEPT][channel];
#else
    (void)state;
    return mean(at, channel);
#endif
}
#endif

#if FSPINN_CONTRAST == FSPINN_AS_IT_IS
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
#if FSPINN_KEPT > 0 || FSPINN_POOL > 1
    intensity_number pixel = (intensity_number)((intensity_number)i / FSPINN_CHANNELS);
    return seen(state,
                place_of(state, (uint16_t)(pixel / FSPINN_WIDTH), (intensity_number)(pixel % FSPINN_WIDTH)),
                (channel_number)((intensity_number)i % FSPINN_CHANNELS));
#else
    return *sample_at(state, i);
#endif
}
#else
#if FSPINN_CONTRAST != FSPINN_DELTA
/* A channel of a pixel before it is split. */
static uint16_t whole(FSPINN_STATE *state, pixel_place at, channel_number channel)
{
#if FSPINN_CONTRAST_COLOURS
    uint16_t red = seen(state, at, 0), green = seen(state, at, 1), blue = seen(state, at, 2);
    if (channel == 0) {
        return (uint16_t)((red + green + blue) / 3);
    }
    if (channel == 1) {
        return (uint16_t)((256 + red - green) / 2);
    }
    return (uint16_t)((512 + 2 * blue - red - green) / 4);
#else
    return seen(state, at, channel);
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

#if FSPINN_CONTRAST == FSPINN_ON_OFF
#if FSPINN_CONTRAST_RADIUS > 7
typedef uint32_t area_sum;
#else
typedef uint16_t area_sum; /* of 15 x 15 bytes at most */
#endif

/* How much brighter (even channels) or darker (odd ones) than the mean around it a pixel is. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    channel_number channel = (channel_number)((intensity_number)i % FSPINN_CHANNELS);
    intensity_number pixel = (intensity_number)((intensity_number)i / FSPINN_CHANNELS);
    intensity_number x = (intensity_number)(pixel % FSPINN_WIDTH), column;
    uint16_t y = (uint16_t)(pixel / FSPINN_WIDTH), row;
    uint16_t top = (uint16_t)(y > FSPINN_CONTRAST_RADIUS ? y - FSPINN_CONTRAST_RADIUS : 0);
    intensity_number left = (intensity_number)(x > FSPINN_CONTRAST_RADIUS ? x - FSPINN_CONTRAST_RADIUS : 0);
    uint16_t bottom = (uint16_t)(FSPINN_HEIGHT - y > FSPINN_CONTRAST_RADIUS ? y + FSPINN_CONTRAST_RADIUS + 1 : FSPINN_HEIGHT);
    intensity_number right = (intensity_number)(FSPINN_WIDTH - x > FSPINN_CONTRAST_RADIUS ? x + FSPINN_CONTRAST_RADIUS + 1 : FSPINN_WIDTH);
    area_sum sum = 0;
    for (row = top; row < bottom; row++) {
        pixel_place at = place_of(state, row, left);
        for (column = left; column < right; column++, at = next_place(at)) {
            sum = (area_sum)(sum + whole(state, at, channel / 2));
        }
    }
    sum = (area_sum)(sum / (area_sum)((area_sum)(bottom - top) * (area_sum)(right - left)));
    return above(whole(state, place_of(state, y, x), channel / 2), sum, channel % 2, FSPINN_CONTRAST_GAIN);
}
#elif FSPINN_CONTRAST == FSPINN_LEVEL
/* How far a signal is above (even channels) or below (odd ones) the middle of its range. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    intensity_number pixel = (intensity_number)((intensity_number)i / FSPINN_CHANNELS);
    channel_number channel = (channel_number)((intensity_number)i % FSPINN_CHANNELS);
    return above(whole(state,
                       place_of(state, (uint16_t)(pixel / FSPINN_WIDTH), (intensity_number)(pixel % FSPINN_WIDTH)),
                       channel / 2),
                 128, channel % 2, FSPINN_CONTRAST_GAIN);
}
#else
/* How many steps a signal goes up (even channels) or down (odd ones); with the level, of two the second. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    intensity_number pixel = (intensity_number)((intensity_number)i / FSPINN_CHANNELS);
    channel_number channel = (channel_number)((intensity_number)i % FSPINN_CHANNELS);
    channel_number of = channel / FSPINN_CONTRAST_CHANNELS;
    uint16_t before, after, steps;
#if FSPINN_CONTRAST == FSPINN_LEVEL_DELTA
    if (channel % FSPINN_CONTRAST_CHANNELS < 2) {
        return above(whole(state, pixel, of), 128, channel % 2, FSPINN_CONTRAST_GAIN);
    }
#endif
    if (pixel % FSPINN_WIDTH == 0) {
        return 0;
    }
    keep(state, pixel - 1u);
    before = state->levels[(pixel - 1u) % FSPINN_KEPT][of];
    keep(state, pixel);
    after = state->levels[pixel % FSPINN_KEPT][of];
    if (channel % 2 == 0) {
        steps = (uint16_t)(after > before ? (after - before) / FSPINN_DELTA_STEP : 0);
    } else {
        steps = (uint16_t)(before > after ? (before - after) / FSPINN_DELTA_STEP : 0);
    }
    return UINT32_C(1) * steps * FSPINN_DELTA_GAIN < 255 ? UINT32_C(1) * steps * FSPINN_DELTA_GAIN : 255;
}
#endif
#endif
