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

#if FSPINN_POOL > 1 || (FSPINN_CONTRAST != FSPINN_AS_IT_IS && FSPINN_KEPT == 0)
/* A channel of a pixel: the mean of a block of the image (which may be one pixel), of a half rounded up. */
static uint32_t mean(FSPINN_STATE *state, uint32_t pixel, uint32_t channel)
{
    uint32_t y = pixel / FSPINN_WIDTH * FSPINN_POOL_ROWS, x = pixel % FSPINN_WIDTH * FSPINN_POOL;
    const uint8_t *block = sample_at(state, (y * FSPINN_SAMPLE_WIDTH + x) * FSPINN_SAMPLE_CHANNELS + channel);
    uint32_t row, column, sum = (uint32_t)FSPINN_POOL_ROWS * FSPINN_POOL / 2;
    for (row = 0; row < FSPINN_POOL_ROWS; row++) {
        for (column = 0; column < FSPINN_POOL; column++) {
            sum += block[(row * FSPINN_SAMPLE_WIDTH + column) * FSPINN_SAMPLE_CHANNELS];
        }
    }
    return sum / ((uint32_t)FSPINN_POOL_ROWS * FSPINN_POOL);
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
        uint8_t means[FSPINN_SAMPLE_CHANNELS];
        uint32_t c;
        for (c = 0; c < FSPINN_SAMPLE_CHANNELS; c++) {
            means[c] = (uint8_t)mean(state, state->taken, c);
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
/* A channel of a pixel, or of a value of a signal. */
static uint32_t seen(FSPINN_STATE *state, uint32_t pixel, uint32_t channel)
{
#if FSPINN_KEPT > 0
    keep(state, pixel);
    return state->values[pixel % FSPINN_KEPT][channel];
#else
    return mean(state, pixel, channel);
#endif
}
#endif

#if FSPINN_CONTRAST == FSPINN_AS_IT_IS
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
#if FSPINN_KEPT > 0 || FSPINN_POOL > 1
    return seen(state, i / FSPINN_CHANNELS, i % FSPINN_CHANNELS);
#else
    return *sample_at(state, i);
#endif
}
#else
#if FSPINN_CONTRAST != FSPINN_DELTA
/* A channel of a pixel before it is split. */
static uint32_t whole(FSPINN_STATE *state, uint32_t pixel, uint32_t channel)
{
#if FSPINN_CONTRAST_COLOURS
    uint32_t red = seen(state, pixel, 0), green = seen(state, pixel, 1), blue = seen(state, pixel, 2);
    if (channel == 0) {
        return (red + green + blue) / 3;
    }
    if (channel == 1) {
        return (256 + red - green) / 2;
    }
    return (512 + 2 * blue - red - green) / 4;
#else
    return seen(state, pixel, channel);
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
/* How much brighter (even channels) or darker (odd ones) than the mean around it a pixel is. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    uint32_t channel = i % FSPINN_CHANNELS, x = i / FSPINN_CHANNELS % FSPINN_WIDTH;
    uint32_t y = i / FSPINN_CHANNELS / FSPINN_WIDTH, row, column, sum = 0;
    uint32_t top = y > FSPINN_CONTRAST_RADIUS ? y - FSPINN_CONTRAST_RADIUS : 0;
    uint32_t left = x > FSPINN_CONTRAST_RADIUS ? x - FSPINN_CONTRAST_RADIUS : 0;
    uint32_t bottom = y + FSPINN_CONTRAST_RADIUS + 1, right = x + FSPINN_CONTRAST_RADIUS + 1;
    bottom = bottom < FSPINN_HEIGHT ? bottom : FSPINN_HEIGHT;
    right = right < FSPINN_WIDTH ? right : FSPINN_WIDTH;
    for (row = top; row < bottom; row++) {
        for (column = left; column < right; column++) {
            sum += whole(state, row * FSPINN_WIDTH + column, channel / 2);
        }
    }
    return above(whole(state, y * FSPINN_WIDTH + x, channel / 2), sum / ((bottom - top) * (right - left)), channel % 2,
                 FSPINN_CONTRAST_GAIN);
}
#elif FSPINN_CONTRAST == FSPINN_LEVEL
/* How far a signal is above (even channels) or below (odd ones) the middle of its range. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    return above(whole(state, i / FSPINN_CHANNELS, i % FSPINN_CHANNELS / 2), 128, i % 2, FSPINN_CONTRAST_GAIN);
}
#else
/* How many steps a signal goes up (even channels) or down (odd ones); with the level, of two the second. */
static uint32_t intensity(FSPINN_STATE *state, uint32_t i)
{
    uint32_t pixel = i / FSPINN_CHANNELS, of = i % FSPINN_CHANNELS / FSPINN_CONTRAST_CHANNELS;
    uint32_t before, after, steps;
#if FSPINN_CONTRAST == FSPINN_LEVEL_DELTA
    if (i % FSPINN_CONTRAST_CHANNELS < 2) {
        return above(whole(state, pixel, of), 128, i % 2, FSPINN_CONTRAST_GAIN);
    }
#endif
    if (pixel % FSPINN_WIDTH == 0) {
        return 0;
    }
    keep(state, pixel - 1);
    before = state->levels[(pixel - 1) % FSPINN_KEPT][of];
    keep(state, pixel);
    after = state->levels[pixel % FSPINN_KEPT][of];
    if (i % 2 == 0) {
        steps = after > before ? (after - before) / FSPINN_DELTA_STEP : 0;
    } else {
        steps = before > after ? (before - after) / FSPINN_DELTA_STEP : 0;
    }
    return steps * FSPINN_DELTA_GAIN < 255 ? steps * FSPINN_DELTA_GAIN : 255;
}
#endif
#endif
