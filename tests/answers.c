/* Reads images from standard input, writes the spikes of each neuron and the class of each. For test_export_c.py. */
#include <stdio.h>

#include "network.h"

int main(void)
{
    static network_state state;
    static uint8_t image[NETWORK_PIXELS + NETWORK_EXTRA_FEATURES]; /* and its features */
    static uint32_t answer[NETWORK_FEATURES + 1];
    uint32_t number, j;
    for (number = 0; fread(image, 1, sizeof image, stdin) == sizeof image; number++) {
#if NETWORK_EXTRA_FEATURES > 0
        answer[NETWORK_FEATURES] = (uint32_t)network_answer(&state, image, number, image + NETWORK_PIXELS);
#else
        answer[NETWORK_FEATURES] = (uint32_t)network_answer(&state, image, number);
#endif
        for (j = 0; j < NETWORK_FEATURES; j++) {
            answer[j] = state.counts[j];
        }
        if (fwrite(answer, 1, sizeof answer, stdout) != sizeof answer) {
            return 1;
        }
    }
    return 0;
}
