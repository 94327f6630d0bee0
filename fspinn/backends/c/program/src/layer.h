/*
 * The neurons of a layer at work. Included once for each layer, after the numbers of that layer, whose names begin
 * with LAYER; what a layer has of its own here, and in the caller's state, ends in its number.
 */
#ifndef OWN

#define JOIN_NOW(name, number) name##number
#define JOIN(name, number) JOIN_NOW(name, number)
#define OWN(name) JOIN(name##_, LAYER)
#define OF_BELOW(name) JOIN(name##_, LAYER_BELOW)

#define weights OWN(weights)
#define theta OWN(theta)
#define input_mask OWN(input_mask)
#define potentials AT_POSITION(potentials)
#define refractory AT_POSITION(refractory)
#define answers AT_POSITION(answers)
#define clamped AT_POSITION(clamped)
#define latest AT_POSITION(latest)
#define exempt AT_POSITION(exempt)
#define rest AT_POSITION(rest)
#define sent state->OWN(sent)
#define received state->OF_BELOW(sent)
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
#define clear OWN(clear)
#define look OWN(look)
#define take_step OWN(take_step)

/* Whether all positions are computed at once, as events come. */
#define LIVE (LAYER == 1 && FSPINN_ENCODER == FSPINN_EVENTS)

/* Whether the layer reads bits of the one below, in which several spikes of an input may lie. */
#define READS_BITS (LAYER > 1 && LAYER_INHIBITION_BELOW == FSPINN_INHIBITION_NONE)

/* Whether it finds its inputs among those of all positions. */
#define BY_RUNS ((READS_BITS || (LIVE && !MASKED)) && !SEES_ALL)
#define MASKED (LAYER_INPUTS < LAYER_FIELD_ROWS * LAYER_FIELD_RUN)
#define SEES_ALL (LAYER_INPUTS == LAYER_HEIGHT * LAYER_WIDTH * LAYER_CHANNELS)
#define MAY_DROP (LAYER_INHIBITION == FSPINN_INHIBITION_LATERAL || LAYER_INHIBITION == FSPINN_INHIBITION_LAYER)
#define PER_WORD (32 / LAYER_WEIGHT_BITS)
#define ROW_WORDS ((uint32_t)(LAYER_NEURONS + PER_WORD - 1) / PER_WORD)

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

#undef corner
#undef base
#if LAYER_POSITIONS > 1
#define corner state->OWN(corner)
#define base state->OWN(base)
#else
#define corner UINT32_C(0)
#define base UINT32_C(0)
#endif

#undef AT_POSITION
#if LIVE && LAYER_POSITIONS > 1
#define AT_POSITION(name) state->OWN(name)[state->position]
#else
#define AT_POSITION(name) state->OWN(name)
#endif

/* ---- Spikes that go out: counts of the last layer, of any other what the next one reads ------------------ */

/* Take back all spikes, those of the layers below included. */
static void silence(FSPINN_STATE *state)
{
    uint32_t j;
#if LAYER > 1
    OF_BELOW(silence)(state);
#endif
#if LAYER == FSPINN_LAYERS
    for (j = 0; j < LAYER_FEATURES; j++) {
        state->counts[j] = 0;
    }
#elif LAYER_INHIBITION == FSPINN_INHIBITION_NONE
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
static void send(FSPINN_STATE *state, uint32_t j)
{
#if LAYER == FSPINN_LAYERS
    state->counts[base + j]++;
#elif LAYER_INHIBITION == FSPINN_INHIBITION_NONE
    sent[state->step][(base + j) / 32] |= UINT32_C(1) << (base + j) % 32;
#else
    if (state->step < sent[base + j]) {
        sent[base + j] = (LAYER_TIME)state->step;
    }
#endif
}

/* ---- Spikes that come in --------------------------------------------------------------------------------- */

#if !READS_BITS && !LIVE
/* Find out which inputs spike in the next steps. */
static void encode(FSPINN_STATE *state)
{
    uint32_t i, s, row, k, input = 0;
    for (s = 0; s < FSPINN_STEPS_AT_ONCE; s++) {
        for (i = 0; i < (LAYER_INPUTS + 31) / 32; i++) {
            state->spikes[s][i] = 0;
        }
    }
    for (row = 0; row < LAYER_FIELD_ROWS; row++) {
        i = corner + row * LAYER_WIDTH * LAYER_CHANNELS;
        for (k = 0; k < LAYER_FIELD_RUN; k++, i++) {
#if LAYER == 1
            uint32_t brightness, found;
#if MASKED
            if ((FSPINN_READ(uint32_t, input_mask[i / 32]) >> i % 32 & 1) == 0) {
                continue;
            }
#endif
            brightness = intensity(state, i);
            found = brightness == 0 ? 0 : steps_of(state, i, brightness);
            for (s = 0; found != 0; s++, found >>= 1) {
                state->spikes[s][input / 32] |= (found & 1) << input % 32;
            }
#else
            uint32_t t = received[i];
            if (t >= state->step && t - state->step < FSPINN_STEPS_AT_ONCE) {
                state->spikes[t - state->step][input / 32] |= UINT32_C(1) << input % 32;
            }
#endif
            input++;
        }
    }
}
#endif

/* Look for inputs that spike, from *input on, until there is no room; return how many there were. */
static uint32_t collect(const FSPINN_STATE *state, const uint32_t *spiking, uint32_t *input, uint32_t *rows)
{
    uint32_t count = 0;
#if BY_RUNS
    /* Inputs in a row of the field lie side by side; `place` is that of an input among all of them. */
    uint32_t of_run = *input, place = corner;
    for (; of_run >= LAYER_FIELD_RUN; of_run -= LAYER_FIELD_RUN) {
        place += LAYER_WIDTH * LAYER_CHANNELS;
    }
    place += of_run;
#endif
    (void)state;
    while (*input < LAYER_INPUTS && count < ROWS_AT_ONCE) {
#if BY_RUNS
        uint32_t left = spiking[place / 32] >> place % 32, passed = 32 - place % 32;
        if (passed > LAYER_FIELD_RUN - of_run) {
            passed = LAYER_FIELD_RUN - of_run;
            left &= (UINT32_C(1) << passed) - 1;
        }
        if (left != 0) {
            for (passed = 1; (left & 1) == 0; passed++) {
                left >>= 1;
            }
            rows[count++] = (*input + passed - 1) * ROW_WORDS;
        }
        *input += passed;
        place += passed;
        of_run += passed;
        if (of_run == LAYER_FIELD_RUN) {
            of_run = 0;
            place += LAYER_WIDTH * LAYER_CHANNELS - LAYER_FIELD_RUN;
        }
#else
        uint32_t left = spiking[*input / 32] >> *input % 32;
        if (left == 0) {
            *input = (*input / 32 + 1) * 32;
            continue;
        }
        while ((left & 1) == 0) {
            left >>= 1;
            (*input)++;
        }
        rows[count++] = (*input)++ * ROW_WORDS;
#endif
    }
    return count;
}

/* Rows are places of their first words; add those that lie `column` words on. */
static void add_rows(const uint32_t *rows, uint32_t count, uint32_t column, int32_t *sums)
{
    uint32_t e = 0, k;
    while (e < count) {
        uint32_t even = 0, odd = 0, end = count - e > ROWS_THAT_FIT ? e + ROWS_THAT_FIT : count;
        for (; e < end; e++) {
            uint32_t word = FSPINN_READ(uint32_t, weights[rows[e] + column]) ^ (uint32_t)(EVERY_PLACE * HALF);
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
    return LAYER_THRESHOLD + FSPINN_READ(LAYER_THETA, theta[j]) * (INT32_C(1) << LAYER_THETA_SHIFT);
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
static int32_t advance(FSPINN_STATE *state, uint32_t j, int32_t sum)
{
    int32_t v = (int32_t)potentials[j];
#if LAYER_INHIBITION == FSPINN_INHIBITION_CLAMP
    if (clamped > 0 && (int32_t)j != latest) {
        return v;
    }
#endif
#if LAYER_LEAK > 0
    v -= part(v, LAYER_LEAK);
#endif
#if LAYER_INHIBITION == FSPINN_INHIBITION_LAYER
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
static int may_spike(FSPINN_STATE *state, uint32_t j)
{
#if LAYER_REFRACTORY_STEPS > 0
    if (refractory[j] > 0) {
        refractory[j]--;
        return 0;
    }
#endif
    (void)state;
    (void)j;
    return 1;
}

#if MAY_DROP || LAYER_INHIBITION == FSPINN_INHIBITION_CLAMP
/* What becomes of the others when a neuron has spiked. */
static void inhibit(FSPINN_STATE *state, uint32_t winner)
{
#if LAYER_INHIBITION == FSPINN_INHIBITION_LATERAL
    uint32_t j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        if (j != winner) {
            potentials[j] = (LAYER_POTENTIAL)after_drop(potentials[j]);
        }
    }
#elif LAYER_INHIBITION == FSPINN_INHIBITION_CLAMP
    uint32_t j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        potentials[j] = 0;
    }
    clamped = LAYER_INHIBITION_STEPS;
    latest = (LAYER_NEURON)winner;
#elif LAYER_INHIBITION_STEPS > 0
    exempt = (LAYER_NEURON)(rest[winner] == 0 ? (LAYER_NEURON)winner : NOBODY);
#else
    exempt = (LAYER_NEURON)winner;
#endif
}
#endif

/* ---- A position, and all of them ------------------------------------------------------------------------- */

/* Nothing has happened at a position. */
static void clear(FSPINN_STATE *state)
{
    uint32_t j;
#if LAYER_INHIBITION == FSPINN_INHIBITION_RANKED
    answers = 0;
#endif
    for (j = 0; j < LAYER_NEURONS; j++) {
        potentials[j] = 0;
#if LAYER_REFRACTORY_STEPS > 0
        refractory[j] = 0;
#endif
#if LAYER_INHIBITION == FSPINN_INHIBITION_LAYER && LAYER_INHIBITION_STEPS > 0
        rest[j] = 0;
#endif
    }
#if LAYER_INHIBITION == FSPINN_INHIBITION_CLAMP
    clamped = 0;
#elif LAYER_INHIBITION == FSPINN_INHIBITION_LAYER
    exempt = NOBODY;
#endif
}

#if !LIVE
static void look(FSPINN_STATE *state, uint32_t position)
{
#if LAYER_POSITIONS > 1
    uint32_t row = position / LAYER_COLUMNS, column = position % LAYER_COLUMNS;
    corner = (row * LAYER_WIDTH + column) * LAYER_STRIDE * LAYER_CHANNELS;
    base = row * LAYER_CELL_ROWS / LAYER_ROWS * LAYER_CELL_COLUMNS;
    base = (base + column * LAYER_CELL_COLUMNS / LAYER_COLUMNS) * LAYER_NEURONS;
#else
    (void)position;
    (void)corner;
#endif
    state->step = 0;
    clear(state);
}
#endif

/* The neuron that spikes in a time step; none without inhibition, where several may. */
static int32_t take_step(FSPINN_STATE *state)
{
#if LIVE
    const uint32_t *spiking = state->spiking;
#elif READS_BITS
    const uint32_t *spiking = received[state->step < FSPINN_INPUT_STEPS ? state->step : 0];
#else
    const uint32_t *spiking = state->spikes[state->step % FSPINN_STEPS_AT_ONCE];
#endif
    uint32_t rows[ROWS_AT_ONCE], input = 0, count, j, k, word, again;
    int32_t sums[PER_WORD], winner = NOBODY;
#if LAYER_INHIBITION != FSPINN_INHIBITION_NONE
    int32_t best = -1;
#endif
#if LAYER_INHIBITION == FSPINN_INHIBITION_RANKED
    input = state->step < FSPINN_INPUT_STEPS ? 0 : LAYER_INPUTS; /* then it is over */
#endif
#if !READS_BITS && !LIVE
    if (state->step % FSPINN_STEPS_AT_ONCE == 0 && input == 0) {
        encode(state);
    }
#endif
    count = collect(state, spiking, &input, rows);
#if LIVE && LAYER_STAYS
    if (count == 0) {
        return NOBODY;
    }
#endif
#if LAYER_INHIBITION == FSPINN_INHIBITION_RANKED
    answers = (uint8_t)(answers | (count > 0));
#endif
    again = input < LAYER_INPUTS;
    for (j = 0, word = 0; j < LAYER_NEURONS; word++) {
        for (k = 0; k < PER_WORD; k++) {
            sums[k] = 0;
        }
        add_rows(rows, count, word, sums);
        if (again) {
            /* Not all rows had room: add the others, and begin anew for the next word. */
            while (input < LAYER_INPUTS) {
                count = collect(state, spiking, &input, rows);
                add_rows(rows, count, word, sums);
            }
            input = 0;
            count = collect(state, spiking, &input, rows);
        }
        for (k = 0; k < PER_WORD && j < LAYER_NEURONS; k++, j++) {
            int32_t above = advance(state, j, sums[k]) - threshold(j);
            if (!may_spike(state, j)) {
                continue;
            }
#if LAYER_INHIBITION == FSPINN_INHIBITION_NONE
            if (above >= 0) {
                potentials[j] = (LAYER_POTENTIAL)cut(above);
#if LAYER_REFRACTORY_STEPS > 0
                refractory[j] = LAYER_REFRACTORY_STEPS;
#endif
                send(state, j);
            }
#elif LAYER_INHIBITION == FSPINN_INHIBITION_RANKED
            if (answers && state->step >= FSPINN_INPUT_STEPS && (winner == NOBODY || above > best)) {
                winner = (int32_t)j;
                best = above;
            }
#else
            if (above > best) {
                winner = (int32_t)j;
                best = above;
            }
#endif
        }
    }
#if LAYER_INHIBITION != FSPINN_INHIBITION_NONE
#if LAYER_INHIBITION == FSPINN_INHIBITION_CLAMP
    clamped = (LAYER_REST)(clamped - (clamped > 0));
#elif LAYER_INHIBITION == FSPINN_INHIBITION_LAYER
    exempt = NOBODY;
#endif
    if (winner != NOBODY) {
        send(state, (uint32_t)winner);
#if LAYER_INHIBITION == FSPINN_INHIBITION_RANKED
        potentials[winner] = (LAYER_POTENTIAL)cut((int32_t)potentials[winner] - LAYER_DROP);
#elif LAYER_INHIBITION != FSPINN_INHIBITION_FIRST
        potentials[winner] = 0;
        inhibit(state, (uint32_t)winner);
#endif
#if LAYER_REFRACTORY_STEPS > 0
        refractory[winner] = LAYER_REFRACTORY_STEPS;
#endif
    }
#endif
    return winner;
}

#if !LIVE
static void answer_at(FSPINN_STATE *state, uint32_t position)
{
    look(state, position);
    for (; state->step < LAYER_STEPS; state->step++) {
#if LAYER_INHIBITION == FSPINN_INHIBITION_FIRST
        if (take_step(state) != NOBODY) {
            break;
        }
#else
        (void)take_step(state);
#endif
    }
}
#endif

#if LAYER > 1
/* All positions, after those of the layers below; those of the first have answered. */
static void answer(FSPINN_STATE *state)
{
    uint32_t position;
#if LAYER > 2
    OF_BELOW(answer)(state);
#endif
    for (position = 0; position < LAYER_POSITIONS; position++) {
        answer_at(state, position);
    }
}
#endif
