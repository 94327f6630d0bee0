/*
 * As answers.c, but the values of a signal, or the rows of an image, come one by one, from memory that is gone
 * afterwards.
 */
#include <stdio.h>

#include "network.h"

#if NETWORK_PUSH
#define LINES NETWORK_SAMPLE_WIDTH
#define TAKE network_push
#else
#define LINES NETWORK_SAMPLE_HEIGHT
#define TAKE network_row
#endif

static network_state state;

/* Start a sample after a part of another one, which is forgotten. */
static void start(uint32_t number)
{
    static const uint8_t other[NETWORK_PIXELS / LINES] = {200};
    uint16_t i;
    network_start(&state, number + 7);
    for (i = 0; i < LINES / 2; i++) {
        (void)TAKE(&state, other);
    }
    network_start(&state, number);
}

int main(void)
{
    static uint32_t answer[NETWORK_FEATURES + 1];
    uint8_t line[NETWORK_PIXELS / LINES];
    uint32_t number = 0, left = LINES, j;
    start(number);
    while (fread(line, 1, sizeof line, stdin) == sizeof line) {
        uint32_t expected = left - 1;
        left = TAKE(&state, line);
        if (left != expected) {
            return 2;
        }
        if (left > 0) {
            continue;
        }
        if (TAKE(&state, line) != 0) { /* one too many changes nothing */
            return 3;
        }
        answer[NETWORK_FEATURES] = (uint32_t)network_class(&state);
        for (j = 0; j < NETWORK_FEATURES; j++) {
            answer[j] = state.counts[j];
        }
        if (fwrite(answer, 1, sizeof answer, stdout) != sizeof answer) {
            return 1;
        }
        left = LINES;
        start(++number);
    }
    return 0;
}
