/* What a test needs of the machine that it runs on. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* The next bytes of samples.bin, and all from the start again. */
void read_bytes(uint8_t *bytes, uint16_t count);
void read_again(void);

void print_letter(char letter);

/* Before and after each call to the network: what it takes is counted, of the stack or of time. */
void begin_call(void);
void begin_learning(void);
void end_call(void);

/* Bytes of the stack that calls took at most; 0 where that is not counted. */
uint16_t deepest_stack(void);

/* Instructions of each of so many samples since the last time; 0 where they are not counted. */
uint32_t instructions_of(uint32_t samples);

#endif
