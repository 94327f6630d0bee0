/*
 * A few images, and what fspinn's integer engine answered to them: the network here has to answer the same.
 * Prints the class and the output spikes (feature x spikes); returns 1 if anything differs.
 */
#include "network.h"
#include "images.h"

#ifdef BARE_METAL
void print(const char *text); /* in cortex_m4.c */
#else
#include <stdio.h>
static void print(const char *text)
{
    (void)fputs(text, stdout);
}
#endif

static void print_number(uint32_t number)
{
    char digits[11];
    uint32_t i = 10;
    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    print(digits + i);
}

#if NETWORK_PUSH
/* Whether value by value the answer is the same. */
static uint32_t pushed_differs(uint32_t m)
{
    uint32_t i, j, differ = 0;
    network_start(0, m);
    for (i = 0; i < NETWORK_SAMPLE_WIDTH; i++) {
        differ |= network_push(images[m] + i * NETWORK_SAMPLE_CHANNELS) != NETWORK_SAMPLE_WIDTH - 1 - i;
    }
    for (j = 0; j < NETWORK_FEATURES; j++) {
        differ |= network_counts[j] != expected_counts[m][j];
    }
#if NETWORK_EXTRA_FEATURES > 0
    return differ | (network_class(features[m]) != expected_class[m]);
#else
    return differ | (network_class() != expected_class[m]);
#endif
}
#endif

int main(void)
{
    uint32_t m, j, wrong = 0;
    for (m = 0; m < IMAGES; m++) {
#if NETWORK_EXTRA_FEATURES > 0
        int32_t class_found = network_answer(images[m], m, features[m]);
#else
        int32_t class_found = network_answer(images[m], m);
#endif
        uint32_t differ = class_found != expected_class[m];
        print("image ");
        print_number(m);
        print(": class ");
        if (class_found < 0) {
            print("none");
        } else {
            print_number((uint32_t)class_found);
        }
        print(", spikes");
        for (j = 0; j < NETWORK_FEATURES; j++) {
            differ |= network_counts[j] != expected_counts[m][j];
            if (network_counts[j] > 0) {
                print(" ");
                print_number(j);
                print("x");
                print_number(network_counts[j]);
            }
        }
#if NETWORK_PUSH
        differ |= pushed_differs(m);
#endif
        print(differ ? " WRONG\n" : "\n");
        wrong |= differ;
    }
    print(wrong ? "different from the integer engine\n" : "equal to the integer engine\n");
    return (int)wrong;
}
