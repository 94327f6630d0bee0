/*
 * A test on an AVR in simavr. It talks with simavr.c through the general purpose registers that every AVR has:
 * GPIOR0 gives the next byte of samples.bin, GPIOR1 takes a byte of text, and GPIOR2 marks calls.
 */
#include <avr/io.h>

#include "platform.h"

void finish(void);

void read_bytes(uint8_t *bytes, uint16_t count)
{
    uint16_t i;
    for (i = 0; i < count; i++) {
        bytes[i] = GPIOR0;
    }
}

void read_again(void)
{
}

void print_letter(char letter)
{
    GPIOR1 = (uint8_t)letter;
}

void begin_call(void)
{
    GPIOR2 = 1;
}

void begin_learning(void)
{
    GPIOR2 = 2;
}

void end_call(void)
{
    GPIOR2 = 0;
}

uint16_t deepest_stack(void)
{
    return 0; /* simavr.c counts it */
}

uint32_t instructions_of(uint32_t samples)
{
    (void)samples;
    return 0; /* simavr.c counts cycles */
}

/* After main: to sleep without interrupts ends the run. */
__attribute__((naked, used, section(".fini1"))) void finish(void)
{
    __asm__ volatile("cli\n"
                     "sleep");
}
