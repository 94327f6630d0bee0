/* A firmware of nothing but the network, which the linker lays out in the memories of a chip. It is never run. */
#include "tested.h"

void finish(uint32_t status);

static TESTED(state) state;

#if TESTED_EXTRA_FEATURES > 0
#define WITH_FEATURES(...) (__VA_ARGS__, sample)
#else
#define WITH_FEATURES(...) (__VA_ARGS__)
#endif

void finish(uint32_t status)
{
    (void)status;
    for (;;) {
    }
}

int main(void)
{
    const uint8_t *volatile sample = 0; /* the caller's, so not counted */
#if TESTED_LEARNS
    TESTED(learn_start)(&state);
    TESTED(learn)(&state, sample);
#endif
#if TESTED_PUSH
    TESTED(start)(&state, 0);
    while (TESTED(push)(&state, sample) > 0) {
    }
#elif TESTED_ROWS
    TESTED(start)(&state, 0);
    while (TESTED(row)(&state, sample) > 0) {
    }
#endif
#if TESTED_PUSH || TESTED_ROWS
    return TESTED(class) WITH_FEATURES(&state);
#else
    return TESTED(answer) WITH_FEATURES(&state, sample, 0);
#endif
}
