/* Reads sums of squares from standard input, writes the probability of each pixel. For test_export_c.py. */
#include "network.c"

#include <stdio.h>

int main(void)
{
    static network_state state;
    static uint32_t found[256];
    uint64_t square;
    uint32_t pixel;
    while (fread(&square, sizeof square, 1, stdin) == 1) {
        set_scale(&state, square);
        for (pixel = 0; pixel < 256; pixel++) {
            found[pixel] = probability(&state, pixel);
        }
        if (fwrite(found, 1, sizeof found, stdout) != sizeof found) {
            return 1;
        }
    }
    return 0;
}
