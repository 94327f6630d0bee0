/*
 * Reads from standard input how many images to learn from, these, and images to answer; writes what was learned,
 * then the spikes of each neuron and the class of each. For test_export_learning.py.
 */
#include <stdio.h>

#include "network.h"

static network_state state;

int main(void)
{
    static uint8_t image[NETWORK_PIXELS];
    static uint32_t answer[NETWORK_FEATURES + 1];
    uint32_t samples, number, j;
    if (fread(&samples, 1, sizeof samples, stdin) != sizeof samples) {
        return 1;
    }
    network_learn_start(&state);
    for (number = 0; number < samples; number++) {
        if (fread(image, 1, sizeof image, stdin) != sizeof image) {
            return 1;
        }
        network_learn(&state, image);
    }
    if (fwrite(&state.learned, 1, NETWORK_LEARNED_BYTES, stdout) != NETWORK_LEARNED_BYTES) {
        return 1;
    }
    for (number = 0; fread(image, 1, sizeof image, stdin) == sizeof image; number++) {
        answer[NETWORK_FEATURES] = (uint32_t)network_answer(&state, image, number);
        for (j = 0; j < NETWORK_FEATURES; j++) {
            answer[j] = state.counts[j];
        }
        if (fwrite(answer, 1, sizeof answer, stdout) != sizeof answer) {
            return 1;
        }
    }
    return 0;
}
