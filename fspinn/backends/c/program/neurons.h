/*
 * The neurons of a layer at work. layers.h includes this once for each layer, after the numbers of that layer, whose
 * names begin with LAYER; what a layer has of its own here ends in its number.
 */
#ifndef OWN

#define JOIN_NOW(name, number) name##number
#define JOIN(name, number) JOIN_NOW(name, number)
#define OWN(name) JOIN(name##_, LAYER)
#define OF_BELOW(name) JOIN(name##_, LAYER_BELOW)

#define weights OWN(weights)
#define theta OWN(theta)
#define input_mask OWN(input_mask)
#define potentials OWN(potentials)
#define refractory OWN(refractory)
#define answers OWN(answers)
#define clamped OWN(clamped)
#define latest OWN(latest)
#define exempt OWN(exempt)
#define rest OWN(rest)
#define corner OWN(corner)
#define base OWN(base)
#define sent OWN(sent)
#define received OF_BELOW(sent)
#define encode OWN(encode)
#define collect OWN(collect)
#define add_rows OWN(add_rows)
#define part OWN(part)
#define scaled OWN(scaled)
#define cut OWN(cut)
#define threshold OWN(threshold)
#define after_drop OWN(after_drop)
#define advance OWN(advance)
#define may_spike OWN(may_spike)
#define inhibit OWN(inhibit)
#define send OWN(send)
#define silence OWN(silence)
#define answer_at OWN(answer_at)
#define answer OWN(answer)
#if NETWORK_LAYERS == 1
#define MAYBE_STATIC
#define look network_look
#define take_step network_step
#else
#define MAYBE_STATIC static
#define look OWN(look)
#define take_step OWN(take_step)
#endif

/* Whether the layer reads bits of the one below, in which several spikes of an input may lie. */
#define READS_BITS (LAYER > 1 && LAYER_INHIBITION_BELOW == NETWORK_INHIBITION_NONE)
#define SEES_ALL (LAYER_INPUTS == LAYER_HEIGHT * LAYER_WIDTH * LAYER_CHANNELS)
#define MAY_DROP (LAYER_INHIBITION == NETWORK_INHIBITION_LATERAL || LAYER_INHIBITION == NETWORK_INHIBITION_LAYER)
#define PER_WORD (32 / LAYER_WEIGHT_BITS)

/* Rows of weights that are looked up at once; more inputs than these in a time step only take longer. */
#define ROWS_AT_ONCE 32

/*
 * Add up the weights that lie in one word of each of some rows, several in one addition: those at even places
 * of the word, and those at odd ones, have the bits of their neighbours for their sums. ROWS_THAT_FIT rows are
 * added so. A sign bit is turned over, which adds HALF to each weight, and is taken off at the end.
 */
#define WEIGHT_MASK ((UINT32_C(1) << LAYER_WEIGHT_BITS) - 1)
#define HALF (LAYER_WEIGHTS_SIGNED ? INT32_C(1) << (LAYER_WEIGHT_BITS - 1) : 0)
#define EVERY_PLACE (((UINT64_C(1) << PER_WORD * LAYER_WEIGHT_BITS) - 1) / WEIGHT_MASK)
#define EVEN_PLACES \
    (uint32_t)(((UINT64_C(1) << (PER_WORD + PER_WORD % 2) * LAYER_WEIGHT_BITS) - 1) / (WEIGHT_MASK + 2))
#define SUM_BITS (PER_WORD % 2 == 0 ? 2 * LAYER_WEIGHT_BITS : 32 - (PER_WORD - 1) * LAYER_WEIGHT_BITS)
#define ROWS_THAT_FIT (uint32_t)(((UINT64_C(1) << SUM_BITS) - 1) / WEIGHT_MASK)

#endif

static LAYER_POTENTIAL potentials[LAYER_NEURONS];
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
static uint32_t answers; /* whether any input has spiked */
#endif
#if LAYER_POSITIONS > 1
static uint32_t corner; /* the first input that the position sees */
static uint32_t base;   /* the first feature of its cell */
#else
static const uint32_t corner = 0, base = 0;
#endif
#if LAYER_REFRACTORY_STEPS > 0
static LAYER_REFRACTORY refractory[LAYER_NEURONS]; /* steps in which a neuron cannot spike yet */
#endif
#if LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
static uint32_t clamped; /* steps in which only `latest` is not held at 0 */
static int32_t latest;   /* the neuron that spiked last */
#elif LAYER_INHIBITION == NETWORK_INHIBITION_LAYER
static int32_t exempt; /* whose inhibitory partner is about to spike */
#if LAYER_INHIBITION_STEPS > 0
static LAYER_REST rest[LAYER_NEURONS]; /* steps in which a partner cannot spike yet */
#endif
#endif

/* ---- Spikes that go out: counts of the last layer, of any other what the next one reads ------------------ */

#if LAYER < NETWORK_LAYERS
#if LAYER_INHIBITION == NETWORK_INHIBITION_NONE
static uint32_t sent[LAYER_STEPS][(LAYER_FEATURES + 31) / 32]; /* whether a feature spikes in a step */
#else
static LAYER_TIME sent[LAYER_FEATURES]; /* step of the first spike of a feature; none is after the last step */
#endif
#endif

/* Take back all spikes, those of the layers below included. */
static void silence(void)
{
    uint32_t j;
#if LAYER > 1
    OF_BELOW(silence)();
#endif
#if LAYER == NETWORK_LAYERS
    for (j = 0; j < LAYER_FEATURES; j++) {
        network_counts[j] = 0;
    }
#elif LAYER_INHIBITION == NETWORK_INHIBITION_NONE
    uint32_t t;
    for (t = 0; t < LAYER_STEPS; t++) {
        for (j = 0; j < (LAYER_FEATURES + 31) / 32; j++) {
            sent[t][j] = 0;
        }
    }
#else
    for (j = 0; j < LAYER_FEATURES; j++) {
        sent[j] = LAYER_STEPS;
    }
#endif
}

/* Neuron j spikes now. */
static void send(uint32_t j)
{
#if LAYER == NETWORK_LAYERS
    network_counts[base + j]++;
#elif LAYER_INHIBITION == NETWORK_INHIBITION_NONE
    sent[step][(base + j) / 32] |= UINT32_C(1) << (base + j) % 32;
#else
    if (step < sent[base + j]) {
        sent[base + j] = (LAYER_TIME)step;
    }
#endif
}

/* ---- Spikes that come in --------------------------------------------------------------------------------- */

#if !READS_BITS
/* Find out which inputs spike in the next steps. */
static void encode(void)
{
    uint32_t i, s, row, k, input = 0;
    for (s = 0; s < NETWORK_STEPS_AT_ONCE; s++) {
        for (i = 0; i < (LAYER_INPUTS + 31) / 32; i++) {
            spikes[s][i] = 0;
        }
    }
    for (row = 0; row < LAYER_FIELD_ROWS; row++) {
        i = corner + row * LAYER_WIDTH * LAYER_CHANNELS;
        for (k = 0; k < LAYER_FIELD_RUN; k++, i++) {
#if LAYER == 1
            uint32_t brightness = intensity(i), found = brightness == 0 ? 0 : steps_of(i, brightness);
#if LAYER_INPUTS < LAYER_FIELD_ROWS * LAYER_FIELD_RUN
            if ((input_mask[i / 32] >> i % 32 & 1) == 0) {
                continue;
            }
#endif
            for (s = 0; found != 0; s++, found >>= 1) {
                spikes[s][input / 32] |= (found & 1) << input % 32;
            }
#else
            uint32_t t = received[i];
            if (t >= step && t - step < NETWORK_STEPS_AT_ONCE) {
                spikes[t - step][input / 32] |= UINT32_C(1) << input % 32;
            }
#endif
            input++;
        }
    }
}
#endif

/* Look for inputs that spike, from *input on, until there is no room; return how many there were. */
static uint32_t collect(const uint32_t *spiking, uint32_t *input, uint32_t *rows)
{
    uint32_t count = 0;
    while (*input < LAYER_INPUTS && count < ROWS_AT_ONCE) {
#if READS_BITS && !SEES_ALL
        /* An input's place among all of them; in a word there may be bits that the position does not see. */
        uint32_t place = corner + *input / LAYER_FIELD_RUN * LAYER_WIDTH * LAYER_CHANNELS + *input % LAYER_FIELD_RUN;
        uint32_t left = spiking[place / 32] >> place % 32, here = LAYER_FIELD_RUN - *input % LAYER_FIELD_RUN;
        if (here < 32 - place % 32) {
            left &= (UINT32_C(1) << here) - 1;
        } else {
            here = 32 - place % 32;
        }
        if (left == 0) {
            *input += here;
            continue;
        }
#else
        uint32_t left = spiking[*input / 32] >> *input % 32;
        if (left == 0) {
            *input = (*input / 32 + 1) * 32;
            continue;
        }
#endif
        while ((left & 1) == 0) {
            left >>= 1;
            (*input)++;
        }
        rows[count++] = (*input)++;
    }
    return count;
}

static void add_rows(const uint32_t *rows, uint32_t count, uint32_t column, int32_t *sums)
{
    uint32_t e = 0, k;
    while (e < count) {
        uint32_t even = 0, odd = 0, end = count - e > ROWS_THAT_FIT ? e + ROWS_THAT_FIT : count;
        for (; e < end; e++) {
            uint32_t word = weights[rows[e]][column] ^ (uint32_t)(EVERY_PLACE * HALF);
            even += word & EVEN_PLACES;
            odd += word >> LAYER_WEIGHT_BITS & EVEN_PLACES;
        }
        for (k = 0; k < PER_WORD; k++) {
            uint32_t both = k % 2 == 0 ? even : odd;
            both >>= k / 2 * 2 * LAYER_WEIGHT_BITS;
            sums[k] += (int32_t)(both & (0xFFFFFFFFu >> (32 - SUM_BITS)));
        }
    }
    for (k = 0; k < PER_WORD && HALF != 0; k++) {
        sums[k] -= (int32_t)count * HALF;
    }
}

/* ---- Neurons ----------------------------------------------------------------------------------------- */

#if LAYER_LEAK > 0 || MAY_DROP
/* v * of / 65536, rounded down. */
static int32_t part(int32_t v, LAYER_PRODUCT of)
{
    LAYER_PRODUCT product = v * of;
    return (int32_t)(product >= 0 ? product >> 16 : ~(~product >> 16));
}
#endif

static int32_t scaled(int32_t sum)
{
#if LAYER_SHIFT >= 0
    return sum * (INT32_C(1) << LAYER_SHIFT);
#else
    return sum >= 0 ? sum >> -LAYER_SHIFT : ~(~sum >> -LAYER_SHIFT);
#endif
}

static int32_t cut(int32_t v)
{
    v = v > LAYER_LOWEST ? v : LAYER_LOWEST;
    return v < LAYER_HIGHEST ? v : LAYER_HIGHEST;
}

static int32_t threshold(uint32_t j)
{
#if LAYER_ADAPTED
    return LAYER_THRESHOLD + theta[j] * (INT32_C(1) << LAYER_THETA_SHIFT);
#else
    (void)j;
    return LAYER_THRESHOLD;
#endif
}

#if MAY_DROP
static int32_t after_drop(int32_t v)
{
    return cut(v - LAYER_DROP - part(v, LAYER_DROP_PART));
}
#endif

/* Leak, inhibition and input of a neuron in a step; returns its potential. */
static int32_t advance(uint32_t j, int32_t sum)
{
    int32_t v = potentials[j];
#if LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
    if (clamped > 0 && (int32_t)j != latest) {
        return v;
    }
#endif
#if LAYER_LEAK > 0
    v -= part(v, LAYER_LEAK);
#endif
#if LAYER_INHIBITION == NETWORK_INHIBITION_LAYER
    if (exempt != NOBODY && (int32_t)j != exempt) {
        v = after_drop(v);
    }
#if LAYER_INHIBITION_STEPS > 0
    if ((int32_t)j == exempt) {
        rest[j] = LAYER_INHIBITION_STEPS;
    } else if (rest[j] > 0) {
        rest[j]--;
    }
#endif
#endif
    v = cut(v + scaled(sum));
    potentials[j] = (LAYER_POTENTIAL)v;
    return v;
}

/* Whether a neuron may spike; called once in a step. */
static int may_spike(uint32_t j)
{
#if LAYER_REFRACTORY_STEPS > 0
    if (refractory[j] > 0) {
        refractory[j]--;
        return 0;
    }
#endif
    (void)j;
    return 1;
}

#if MAY_DROP || LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
/* What becomes of the others when a neuron has spiked. */
static void inhibit(uint32_t winner)
{
#if LAYER_INHIBITION == NETWORK_INHIBITION_LATERAL
    uint32_t j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        if (j != winner) {
            potentials[j] = (LAYER_POTENTIAL)after_drop(potentials[j]);
        }
    }
#elif LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
    uint32_t j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        potentials[j] = 0;
    }
    clamped = LAYER_INHIBITION_STEPS;
    latest = (int32_t)winner;
#elif LAYER_INHIBITION_STEPS > 0
    exempt = rest[winner] == 0 ? (int32_t)winner : NOBODY;
#else
    exempt = (int32_t)winner;
#endif
}
#endif

/* ---- A position, and all of them ------------------------------------------------------------------------- */

MAYBE_STATIC void look(uint32_t position)
{
    uint32_t j;
#if LAYER_POSITIONS > 1
    uint32_t row = position / LAYER_COLUMNS, column = position % LAYER_COLUMNS;
    corner = (row * LAYER_WIDTH + column) * LAYER_STRIDE * LAYER_CHANNELS;
    base = row * LAYER_CELL_ROWS / LAYER_ROWS * LAYER_CELL_COLUMNS;
    base = (base + column * LAYER_CELL_COLUMNS / LAYER_COLUMNS) * LAYER_NEURONS;
#else
    (void)position;
    (void)corner;
#endif
    step = 0;
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
    answers = 0;
#endif
    for (j = 0; j < LAYER_NEURONS; j++) {
        potentials[j] = 0;
#if LAYER_REFRACTORY_STEPS > 0
        refractory[j] = 0;
#endif
#if LAYER_INHIBITION == NETWORK_INHIBITION_LAYER && LAYER_INHIBITION_STEPS > 0
        rest[j] = 0;
#endif
    }
#if LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
    clamped = 0;
#elif LAYER_INHIBITION == NETWORK_INHIBITION_LAYER
    exempt = NOBODY;
#endif
}

MAYBE_STATIC int32_t take_step(void)
{
#if READS_BITS
    const uint32_t *spiking = received[step < NETWORK_INPUT_STEPS ? step : 0];
#else
    const uint32_t *spiking = spikes[step % NETWORK_STEPS_AT_ONCE];
#endif
    uint32_t rows[ROWS_AT_ONCE], input = 0, count, j, again;
    int32_t sums[PER_WORD], winner = NOBODY;
#if LAYER_INHIBITION != NETWORK_INHIBITION_NONE
    int32_t best = -1;
#endif
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
    input = step < NETWORK_INPUT_STEPS ? 0 : LAYER_INPUTS; /* then it is over */
#endif
#if !READS_BITS
    if (step % NETWORK_STEPS_AT_ONCE == 0 && input == 0) {
        encode();
    }
#endif
    count = collect(spiking, &input, rows);
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
    answers |= count > 0;
#endif
    again = input < LAYER_INPUTS;
    for (j = 0; j < LAYER_NEURONS; j++) {
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
                while (input < LAYER_INPUTS) {
                    count = collect(spiking, &input, rows);
                    add_rows(rows, count, j / PER_WORD, sums);
                }
                input = 0;
                count = collect(spiking, &input, rows);
            }
        }
        above = advance(j, sums[place_in_word]) - threshold(j);
#if LAYER_INHIBITION == NETWORK_INHIBITION_NONE
        if (may_spike(j) && above >= 0) {
            winner = (int32_t)j;
            potentials[j] = (LAYER_POTENTIAL)cut(above);
#if LAYER_REFRACTORY_STEPS > 0
            refractory[j] = LAYER_REFRACTORY_STEPS;
#endif
            send(j);
        }
    }
    step++;
#else
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
        if (may_spike(j) && answers && step >= NETWORK_INPUT_STEPS && (winner == NOBODY || above > best)) {
#else
        if (may_spike(j) && above > best) {
#endif
            winner = (int32_t)j;
            best = above;
        }
    }
#if LAYER_INHIBITION == NETWORK_INHIBITION_CLAMP
    clamped -= clamped > 0;
#elif LAYER_INHIBITION == NETWORK_INHIBITION_LAYER
    exempt = NOBODY;
#endif
    if (winner != NOBODY) {
        send((uint32_t)winner);
#if LAYER_INHIBITION == NETWORK_INHIBITION_RANKED
        potentials[winner] = (LAYER_POTENTIAL)cut(potentials[winner] - LAYER_DROP);
#elif LAYER_INHIBITION != NETWORK_INHIBITION_FIRST
        potentials[winner] = 0;
        inhibit((uint32_t)winner);
#endif
#if LAYER_REFRACTORY_STEPS > 0
        refractory[winner] = LAYER_REFRACTORY_STEPS;
#endif
    }
    step++;
#endif
    return winner;
}

static void answer_at(uint32_t position)
{
    uint32_t t;
    look(position);
    for (t = 0; t < LAYER_STEPS; t++) {
#if LAYER_INHIBITION == NETWORK_INHIBITION_FIRST
        if (take_step() != NOBODY) {
            break;
        }
#else
        (void)take_step();
#endif
    }
}

#if LAYER > 1
/* All positions, after those of the layers below; those of the first have answered. */
static void answer(void)
{
    uint32_t position;
#if LAYER > 2
    OF_BELOW(answer)();
#endif
    for (position = 0; position < LAYER_POSITIONS; position++) {
        answer_at(position);
    }
}
#endif
