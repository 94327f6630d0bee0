/*
 * Runs a test for an AVR in simavr: simavr CHIP PROGRAM SAMPLES. Gives it the samples, prints what it says, and
 * counts cycles and stack of its calls to the network. Returns what its main returns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

/* Addresses in data space of GPIOR0, GPIOR1 and GPIOR2, and of the first byte of RAM. */
typedef struct {
    const char *chip;
    avr_io_addr_t bytes, text, calls;
    uint16_t ram;
} registers;

static const registers known[] = {
    {"atmega328p", 0x3E, 0x4A, 0x4B, 0x100},
    {"attiny85", 0x31, 0x32, 0x33, 0x60},
};

static FILE *samples;
static avr_cycle_count_t began, calls, learning;
static uint32_t learned;
static uint16_t stack_at_call, deepest;
static int in_call; /* 2 is one that learns */

static uint16_t stack_pointer(const avr_t *avr)
{
    return (uint16_t)(avr->data[R_SPL] | avr->data[R_SPH] << 8);
}

static uint8_t next_byte(avr_t *avr, avr_io_addr_t address, void *parameter)
{
    int byte = fgetc(samples);
    (void)avr;
    (void)address;
    (void)parameter;
    if (byte == EOF) {
        (void)fputs("samples.bin ends too early\n", stderr);
        exit(2);
    }
    return (uint8_t)byte;
}

static void say(avr_t *avr, avr_io_addr_t address, uint8_t byte, void *parameter)
{
    (void)avr;
    (void)address;
    (void)parameter;
    (void)putchar(byte);
}

static void count(avr_t *avr, avr_io_addr_t address, uint8_t begins, void *parameter)
{
    (void)address;
    (void)parameter;
    if (begins) {
        began = avr->cycle;
        stack_at_call = (uint16_t)(stack_pointer(avr) + 2); /* without the way back of begin_call */
    } else if (in_call == 2) {
        learning += avr->cycle - began;
        learned++;
    } else {
        calls += avr->cycle - began;
    }
    in_call = begins;
}

int main(int argc, char **argv)
{
    elf_firmware_t firmware;
    const registers *at = known;
    uint8_t head[4];
    uint32_t images;
    avr_t *avr;
    if (argc != 4) {
        (void)fputs("usage: simavr CHIP PROGRAM SAMPLES\n", stderr);
        return 2;
    }
    while (at < known + sizeof known / sizeof *known && strcmp(at->chip, argv[1]) != 0) {
        at++;
    }
    memset(&firmware, 0, sizeof firmware);
    samples = fopen(argv[3], "rb");
    if (at == known + sizeof known / sizeof *known || samples == NULL || fread(head, 1, 4, samples) != 4 ||
        elf_read_firmware(argv[2], &firmware) != 0 || (avr = avr_make_mcu_by_name(argv[1])) == NULL) {
        (void)fputs("no such chip, program or samples\n", stderr);
        return 2;
    }
    images = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    rewind(samples);
    (void)avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    avr_register_io_read(avr, at->bytes, next_byte, NULL);
    avr_register_io_write(avr, at->text, say, NULL);
    avr_register_io_write(avr, at->calls, count, NULL);
    for (;;) {
        int state = avr_run(avr);
        if (in_call && stack_at_call - stack_pointer(avr) > deepest) {
            deepest = (uint16_t)(stack_at_call - stack_pointer(avr));
        }
        if (stack_pointer(avr) < at->ram + firmware.datasize + firmware.bsssize && in_call) {
            (void)fputs("the stack has run into the variables\n", stderr);
            return 3;
        }
        if (state == cpu_Done || state == cpu_Crashed) {
            break;
        }
    }
    printf("stack %u bytes\n", deepest);
    printf("%llu cycles an image\n", (unsigned long long)(images > 0 ? calls / images : 0));
    if (learned > 0) {
        printf("%llu cycles to learn from an image\n", (unsigned long long)(learning / learned));
    }
    return avr->data[24];
}
