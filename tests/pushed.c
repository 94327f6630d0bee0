/* As answers.c, but the values of each sample are pushed one by one, from memory that is gone afterwards. */
#include <stdio.h>

#include "network.h"

/* Start a sample after a part of another one, which is forgotten. */
static void start(uint32_t number)
{
    static const uint8_t other[NETWORK_SAMPLE_CHANNELS] = {200};
    uint32_t i;
    network_start(0, number + 7);
    for (i = 0; i < NETWORK_SAMPLE_WIDTH / 2; i++) {
        (void)network_push(other);
    }
    network_start(0, number);
}

int main(void)
{
    static uint32_t answer[NETWORK_FEATURES + 1];
    uint8_t value[NETWORK_SAMPLE_CHANNELS];
    uint32_t number = 0, left = NETWORK_SAMPLE_WIDTH, j;
    start(number);
    while (fread(value, 1, sizeof value, stdin) == sizeof value) {
        uint32_t expected = left - 1;
        left = network_push(value);
        if (left != expected) {
            return 2;
        }
        if (left > 0) {
            continue;
        }
        if (network_push(value) != 0) { /* one too many changes nothing */
            return 3;
        }
        answer[NETWORK_FEATURES] = (uint32_t)network_class();
        for (j = 0; j < NETWORK_FEATURES; j++) {
            answer[j] = network_counts[j];
        }
        if (fwrite(answer, 1, sizeof answer, stdout) != sizeof answer) {
            return 1;
        }
        left = NETWORK_SAMPLE_WIDTH;
        start(++number);
    }
    return 0;
}
