/*
 * Samples, and what fspinn's integer engine answered to them: the network here has to answer the same, to whole
 * samples and to their rows or values one by one, and to have learned the same from samples that follow.
 * LINES_ONLY leaves whole samples out where memory is small.
 * Prints the class and the output spikes (feature x spikes); returns 1 if anything differs. Of a linear classifier the
 * scores are compared in place of spikes.
 */
#include "tested.h"
#include "platform.h"
#include "../src/flash.h"

#ifndef LINES_ONLY
#define LINES_ONLY 0
#endif

/* A chip has no room for a whole recording. */
#define WHOLE (TESTED_EVENTS ? __STDC_HOSTED__ : !LINES_ONLY || !BY_LINES)
#define BY_LINES (TESTED_ROWS || TESTED_PUSH || TESTED_EVENTS)
#define LINES (TESTED_PUSH ? TESTED_WIDTH : TESTED_HEIGHT)
#define LINE (TESTED_PIXELS / LINES)

TESTED(state) state; /* the linker's map tells its size */
#if !TESTED_EVENTS
static uint8_t sample[LINES_ONLY && BY_LINES && !TESTED_LEARNS ? LINE : TESTED_PIXELS];
#endif

#ifdef __AVR__
#define TEXT(text) PSTR(text)
#else
#define TEXT(text) (text)
#endif

static void print(const char *text)
{
    for (; FSPINN_READ(char, *text) != '\0'; text++) {
        print_letter(FSPINN_READ(char, *text));
    }
}

/* Without a division, so that a map tells which ones the network needs. */
static void print_number(uint32_t number)
{
    static const uint32_t powers[10] FSPINN_FLASH = {1000000000, 100000000, 10000000, 1000000, 100000,
                                                     10000,      1000,      100,      10,      1};
    uint8_t i, begun = 0;
    for (i = 0; i < 10; i++) {
        uint32_t power = FSPINN_READ(uint32_t, powers[i]);
        char digit = '0';
        for (; number >= power; number -= power) {
            digit++;
        }
        if (digit > '0' || begun || i == 9) {
            print_letter(digit);
            begun = 1;
        }
    }
}

static void print_instructions(uint32_t samples, const char *what)
{
    uint32_t found = samples > 0 ? instructions_of(samples) : 0;
    if (found > 0) {
        print_number(found);
        print(what);
    }
}

static uint32_t next_word(void)
{
    uint8_t bytes[4];
    read_bytes(bytes, 4);
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

#if TESTED_EXTRA_FEATURES > 0
static uint8_t features[TESTED_EXTRA_FEATURES];
#endif

#if TESTED_EVENTS
#define EVENT_BYTES 9
#define AT_ONCE 16

#if WHOLE
static TESTED(recorded) recording[TESTED_MOST_EVENTS];
#endif

static uint16_t word_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void show(const uint8_t *event)
{
    uint32_t time = (uint32_t)word_at(event + 2) << 16 | word_at(event);
    TESTED(event)(&state, word_at(event + 4), word_at(event + 6), event[8], time);
}
#endif

#if TESTED_EVENTS && WHOLE
static int16_t class_of_whole(uint32_t m)
{
    uint32_t count = next_word(), i;
    uint8_t event[EVENT_BYTES];
    (void)m;
    for (i = 0; i < count; i++) {
        TESTED(recorded) *next = &recording[i];
        read_bytes(event, EVENT_BYTES);
        next->time = (uint32_t)word_at(event + 2) << 16 | word_at(event);
        next->x = word_at(event + 4);
        next->y = word_at(event + 6);
        next->polarity = event[8];
    }
#if TESTED_EXTRA_FEATURES > 0
    read_bytes(features, sizeof features);
    return TESTED(answer)(&state, recording, count, features);
#else
    return TESTED(answer)(&state, recording, count);
#endif
}
#elif WHOLE
static int16_t class_of_whole(uint32_t m)
{
    int16_t found;
    read_bytes(sample, sizeof sample);
#if TESTED_EXTRA_FEATURES > 0
    read_bytes(features, sizeof features);
    begin_call();
    found = TESTED(answer)(&state, sample, m, features);
#else
    begin_call();
    found = TESTED(answer)(&state, sample, m);
#endif
    end_call();
    return found;
}
#endif

#if TESTED_EVENTS
static int16_t class_by_lines(uint32_t m, int *differ)
{
    static uint8_t events[AT_ONCE * EVENT_BYTES];
    uint32_t left = next_word();
    int16_t found;
    (void)m;
    (void)differ;
    begin_call();
    TESTED(start)(&state);
    end_call();
    /* What lies beside the sensor changes nothing. */
    TESTED(event)(&state, TESTED_WIDTH, 0, 1, 0);
    TESTED(event)(&state, 0, TESTED_HEIGHT, 1, 0);
    TESTED(event)(&state, 0, 0, 2, 0);
    while (left > 0) {
        uint16_t i, some = left < AT_ONCE ? (uint16_t)left : AT_ONCE;
        read_bytes(events, (uint16_t)(some * EVENT_BYTES));
        begin_call();
        for (i = 0; i < some; i++) {
            show(events + i * EVENT_BYTES);
        }
        end_call();
        left -= some;
    }
#if TESTED_EXTRA_FEATURES > 0
    read_bytes(features, sizeof features);
    begin_call();
    found = TESTED(end)(&state, features);
#else
    begin_call();
    found = TESTED(end)(&state);
#endif
    end_call();
    return found;
}
#elif BY_LINES
/* Not one too few, and what comes after the last line changes nothing. */
static int16_t class_by_lines(uint32_t m, int *differ)
{
    int16_t found;
    uint16_t i, left;
    begin_call();
    TESTED(start)(&state, m);
    end_call();
    for (i = LINES; i > 0; i--) {
        read_bytes(sample, LINE);
        begin_call();
#if TESTED_PUSH
        left = TESTED(push)(&state, sample);
#else
        left = TESTED(row)(&state, sample);
#endif
        end_call();
        *differ |= left != i - 1;
    }
#if TESTED_PUSH
    *differ |= TESTED(push)(&state, sample) != 0;
#else
    *differ |= TESTED(row)(&state, sample) != 0;
#endif
#if TESTED_EXTRA_FEATURES > 0
    read_bytes(features, sizeof features);
    begin_call();
    found = TESTED(class)(&state, features);
#else
    begin_call();
    found = TESTED(class)(&state);
#endif
    end_call();
    return found;
}
#endif

/* Returns whether anything differs. */
static int compare(int by_lines)
{
    uint32_t m, j, count = next_word();
    int wrong = 0;
    for (m = 0; m < count; m++) {
        int differ = 0;
#if BY_LINES && WHOLE
        int16_t found = by_lines ? class_by_lines(m, &differ) : class_of_whole(m);
#elif BY_LINES
        int16_t found = class_by_lines(m, &differ);
        (void)by_lines;
#else
        int16_t found = class_of_whole(m);
        (void)by_lines;
#endif
        print(TEXT("image "));
        print_number(m);
        print(TEXT(": class "));
        if (found < 0) {
            print(TEXT("none"));
        } else {
            print_number((uint32_t)found);
        }
#if TESTED_LINEAR
        for (j = 0; j < TESTED_CLASSES; j++) {
            differ |= (uint32_t)state.scores[j] != next_word();
        }
#else
        print(TEXT(", spikes"));
        for (j = 0; j < TESTED_FEATURES; j++) {
            differ |= state.counts[j] != next_word();
            if (state.counts[j] > 0) {
                print(TEXT(" "));
                print_number(j);
                print(TEXT("x"));
                print_number(state.counts[j]);
            }
        }
#endif
        differ |= found != (int32_t)next_word();
        print(differ ? TEXT(" WRONG\n") : TEXT("\n"));
        wrong |= differ;
    }
    print_instructions(count, TEXT(" instructions an image\n"));
    return wrong;
}

#if TESTED_LEARNS
static int learn(void)
{
    const uint8_t *learned = (const uint8_t *)&state.learned;
    uint32_t count = next_word(), left, i;
    int wrong = 0;
    for (left = count; left > 0; left--) {
        read_bytes(sample, TESTED_PIXELS);
        begin_learning();
        TESTED(learn)(&state, sample);
        end_call();
    }
    for (i = 0; i < TESTED_LEARNED_BYTES; i++) {
        uint8_t expected;
        read_bytes(&expected, 1);
        wrong |= learned[i] != expected;
    }
    print(TEXT("learned from "));
    print_number(state.learned.samples);
    print(wrong ? TEXT(" samples WRONG\n") : TEXT(" samples\n"));
    print_instructions(count, TEXT(" instructions to learn from an image\n"));
    return wrong;
}
#endif

int main(void)
{
    int wrong = 0;
#if TESTED_LEARNS
    TESTED(learn_start)(&state);
#endif
#if WHOLE
    wrong |= compare(0);
#endif
#if BY_LINES
#if WHOLE
    read_again();
#endif
    print(TEXT("one by one\n"));
    wrong |= compare(1);
#endif
#if TESTED_LEARNS
    wrong |= learn();
#endif
    if (deepest_stack() > 0) {
        print(TEXT("stack "));
        print_number(deepest_stack());
        print(TEXT(" bytes\n"));
    }
#if TESTED_LINEAR
    print(wrong ? TEXT("different from fspinn\n") : TEXT("equal to fspinn\n"));
#else
    print(wrong ? TEXT("different from the integer engine\n") : TEXT("equal to the integer engine\n"));
#endif
    return wrong;
}
