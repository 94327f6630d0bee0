/*
 * Learning without labels, in the state of the caller: the integer STDP of fspinn, bit for bit.
 * Included after column.h. At some positions of a sample, drawn at random, the weights of the neuron that spikes
 * first move towards the inputs that have spiked, each rounded up or down at random; its threshold rises, and all
 * fall. Random words are those of fspinn, by the number of the sample: 64 bits, products included, and those with
 * a weight. Divisions are of 32 bits, by constants.
 */
#if FSPINN_POOL == 1
#define FSPINN_BLOCK_LINES 1
#define FSPINN_BLOCK_ACROSS 1
#endif

#include "random.h"

/* Learning rate or step of theta: start + number * rise, of both of which 32 bits are whole and 64 are not. */
static uint32_t on_line(const uint32_t *line, uint32_t number)
{
    uint64_t sum = (uint64_t)FSPINN_READ(uint32_t, line[3]) * number + FSPINN_READ(uint32_t, line[0]);
    sum = (uint64_t)FSPINN_READ(uint32_t, line[4]) * number + FSPINN_READ(uint32_t, line[1]) + (sum >> 32);
    return FSPINN_READ(uint32_t, line[5]) * number + FSPINN_READ(uint32_t, line[2]) + (uint32_t)(sum >> 32);
}

#if FSPINN_LEARN_POSITIONS < 256
typedef uint8_t positions_left;
#else
typedef uint32_t positions_left;
#endif

/* A random position: the word modulo how many there are, bit by bit, as small chips do not divide 64 bits. */
static uint32_t drawn(uint64_t word)
{
    uint32_t rest_of_it = 0;
    uint8_t bit;
    for (bit = 0; bit < 64; bit++) {
        rest_of_it = rest_of_it << 1 | (uint32_t)(word >> 63);
        word <<= 1;
        if (rest_of_it >= LAYER_POSITIONS) {
            rest_of_it -= LAYER_POSITIONS;
        }
    }
    return rest_of_it;
}

/* The input at a place of the sample, which is the upper left pixel of a block where inputs are means of such. */
static uint8_t input_at(const uint8_t *pixel)
{
#if FSPINN_POOL > 1
    FSPINN_BLOCK_SUM sum = 0;
    index_type line, across;
    for (line = 0; line < FSPINN_BLOCK_LINES; line++, pixel += FSPINN_LINE) {
        for (across = 0; across < FSPINN_BLOCK_ACROSS; across++) {
            sum = (FSPINN_BLOCK_SUM)(sum + pixel[across * FSPINN_CHANNELS]);
        }
    }
    return (uint8_t)((sum + FSPINN_BLOCK / 2u) / FSPINN_BLOCK);
#else
    return *pixel;
#endif
}

/* Keep when the inputs of a position spike, as lines that begin with its own; returns how many do. */
static index_type see(FSPINN_STATE *state, const uint8_t *sample, uint32_t position)
{
    uint32_t row = position / LAYER_COLUMNS * LAYER_STRIDE, column = position % LAYER_COLUMNS * LAYER_STRIDE;
    LAYER_TIME *times = state->times;
    index_type spikes = 0;
    small_index line, x, c;
    sample += row * FSPINN_BLOCK_LINES * FSPINN_LINE + column * FSPINN_BLOCK_ACROSS * FSPINN_CHANNELS;
    for (line = 0; line < LAYER_FIELD_LINES; line++) {
        LAYER_TIME *next = times;
        const uint8_t *pixel = sample;
        for (x = 0; x < LAYER_FIELD_RUN / FSPINN_CHANNELS; x++) {
            for (c = 0; c < FSPINN_CHANNELS; c++) {
                *next = time_of(input_at(pixel + c));
                spikes = (index_type)(spikes + (*next != NEVER));
                next++;
            }
            pixel += FSPINN_BLOCK_ACROSS * FSPINN_CHANNELS;
        }
        times += LAYER_LINE;
        sample += FSPINN_BLOCK_LINES * FSPINN_LINE;
    }
    state->oldest = 0;
    return spikes;
}

static index_type spikes_until(const FSPINN_STATE *state, LAYER_TIME time)
{
    const LAYER_TIME *times = state->times;
    index_type spikes = 0;
    small_index line, k;
    for (line = 0; line < LAYER_FIELD_LINES; line++, times += LAYER_LINE) {
        for (k = 0; k < LAYER_FIELD_RUN; k++) {
            spikes = (index_type)(spikes + (times[k] <= time));
        }
    }
    return spikes;
}

/* Move the weights of a neuron towards the inputs that have spiked until then; `random` is before their words. */
static void move_weights(FSPINN_STATE *state, small_index winner, LAYER_TIME time, uint32_t rate, uint64_t random)
{
    const LAYER_TIME *times = state->times;
    uint8_t *unit = state->learned.weights + winner / PER_UNIT;
    uint8_t shift = (uint8_t)(winner % PER_UNIT * LAYER_WEIGHT_BITS);
    uint64_t kept = (UINT64_C(1) << (FSPINN_RATE_BITS + FSPINN_TARGET_BITS)) - ((uint64_t)rate << FSPINN_TARGET_BITS);
    index_type spikes = spikes_until(state, time);
    uint64_t gained = (uint64_t)rate * FSPINN_READ(FSPINN_TARGET, targets[spikes]);
    small_index line, k;
    if (spikes == 0) {
        return;
    }
    for (line = 0; line < LAYER_FIELD_LINES; line++, times += LAYER_LINE) {
        for (k = 0; k < LAYER_FIELD_RUN; k++, unit += ROW_UNITS) {
            uint64_t weight = (uint32_t)*unit >> shift & WEIGHT_MASK_1;
            random += LAYER_NEURONS * GOLDEN;
            weight = weight * kept + (times[k] <= time ? gained : 0) + (mix(random) >> 32);
            weight >>= FSPINN_RATE_BITS + FSPINN_TARGET_BITS;
            weight = weight < FSPINN_HIGHEST_WEIGHT ? weight : FSPINN_HIGHEST_WEIGHT;
            *unit = (uint8_t)((*unit & ~(WEIGHT_MASK_1 << shift)) | (uint32_t)weight << shift);
        }
    }
}

static void lower_thetas(FSPINN_STATE *state, uint32_t fall)
{
    small_index j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        int32_t *theta = &state->learned.theta[j];
        uint32_t above = (uint32_t)*theta - (uint32_t)FSPINN_LOWEST_THETA;
        if (*theta < FSPINN_LOWEST_THETA || above < fall) {
            *theta = FSPINN_LOWEST_THETA;
        } else {
            *theta = (int32_t)((uint32_t)*theta - fall);
        }
    }
}

static void raise_theta(int32_t *theta, uint32_t step)
{
    uint32_t below = (uint32_t)INT32_MAX - (uint32_t)*theta;
    *theta = below < step ? INT32_MAX : (int32_t)((uint32_t)*theta + step);
}

void FSPINN_CALL(learn_start)(FSPINN_STATE *state)
{
    index_type i;
    state->learned.samples = 0;
    state->learned.model = FSPINN_MODEL;
    state->learned.spiked = FSPINN_SPIKED;
    for (i = 0; i < LAYER_NEURONS; i++) {
        uint32_t theta = (uint32_t)(int32_t)FSPINN_READ(LAYER_THETA, theta_1[i]);
        state->learned.theta[i] = (int32_t)(theta << FSPINN_START_FINER);
    }
    for (i = 0; i < LAYER_INPUTS * ROW_UNITS; i++) {
        state->learned.weights[i] = FSPINN_READ(LAYER_UNIT, weights_1[i]);
    }
}

void FSPINN_CALL(learn)(FSPINN_STATE *state, const uint8_t *sample)
{
    uint32_t number = state->learned.samples, of_rates = number > FSPINN_LAST_SAMPLE ? FSPINN_LAST_SAMPLE : number;
    uint32_t rate = on_line(learning_rates, of_rates), step = on_line(theta_steps, of_rates);
    uint32_t share = (step + LAYER_NEURONS / 2) / LAYER_NEURONS;
    uint64_t positions = mix((FSPINN_POSITIONS_KEY ^ number) + GOLDEN);
    uint64_t roundings = mix((FSPINN_ROUNDING_KEY ^ number) + GOLDEN) + GOLDEN - LAYER_NEURONS * GOLDEN;
    small_index winner;
    LAYER_TIME time;
    positions_left left;
    for (left = FSPINN_LEARN_POSITIONS; left > 0; left--) {
        positions += GOLDEN;
        if (see(state, sample, drawn(mix(positions))) >= FSPINN_LEAST_SPIKES) {
            set_learn_thresholds(state);
            winner = first_spike(state, 0, &time);
            if (winner < LAYER_NEURONS) {
                move_weights(state, winner, time, rate, roundings + winner * GOLDEN);
                lower_thetas(state, share);
                raise_theta(&state->learned.theta[winner], step);
                state->learned.spiked = 1;
            } else if (!state->learned.spiked) {
                lower_thetas(state, step);
            }
        }
        roundings += (uint64_t)LAYER_INPUTS * LAYER_NEURONS * GOLDEN;
    }
    state->learned.samples = number + 1;
}
