/*
 * Thresholds of a column that learns: theta is finer than the state, and rounded to it. Included by column.h.
 */

/* A theta in steps of the state above the threshold that neurons learn with, cut to what the state holds. */
static LAYER_WIDE theta_in_steps(int32_t theta)
{
    /* From the lowest number of 32 bits on, so that nothing below 0 is shifted. */
    uint32_t above = (uint32_t)theta ^ UINT32_C(0x80000000);
    int32_t threshold = (int32_t)(above >> FSPINN_FINER_THETA) - (int32_t)(UINT32_C(0x80000000) >> FSPINN_FINER_THETA);
    threshold += FSPINN_LEARN_THRESHOLD + (int32_t)(above >> (FSPINN_FINER_THETA - 1) & 1);
    threshold = threshold > LAYER_LOWEST ? threshold : LAYER_LOWEST;
    threshold = threshold < LAYER_HIGHEST ? threshold : LAYER_HIGHEST;
    return (LAYER_WIDE)(threshold - FSPINN_LEARN_THRESHOLD);
}

static void set_answer_thresholds(FSPINN_STATE *state)
{
    small_index j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        LAYER_WIDE theta = theta_in_steps(state->learned.theta[j]);
        theta = theta > FSPINN_LOWEST_ANSWER_THETA ? theta : FSPINN_LOWEST_ANSWER_THETA;
        state->thresholds[j] = (LAYER_WIDE)(LAYER_THRESHOLD + theta);
    }
}

static void set_learn_thresholds(FSPINN_STATE *state)
{
    small_index j;
    for (j = 0; j < LAYER_NEURONS; j++) {
        state->thresholds[j] = (LAYER_WIDE)(FSPINN_LEARN_THRESHOLD + theta_in_steps(state->learned.theta[j]));
    }
}
