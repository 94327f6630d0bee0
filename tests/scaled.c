/* Reads whole numbers from standard input, channel by channel in turn, writes their bytes. */
#include <stdio.h>

#include "network.h"

int main(void)
{
    int32_t value;
    uint8_t c;
    for (c = 0; fread(&value, sizeof value, 1, stdin) == 1; c = (uint8_t)((c + 1) % NETWORK_SAMPLE_CHANNELS)) {
        if (putchar(network_scaled(value, c)) == EOF) {
            return 1;
        }
    }
    return 0;
}
