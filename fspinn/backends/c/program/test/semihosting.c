/*
 * A test on an emulated chip: what it reads, prints and returns goes through semihosting; operation numbers are
 * those of Arm's "Semihosting for AArch32 and AArch64", which RISC-V has taken over. The stack is painted before
 * each call to the network, and the paint that is left is counted. QEMU takes an instruction for 4 ns (-icount shift=2),
 * so that a clock of the chip counts instructions.
 */
#include "platform.h"

#define PAINT 0xA5u

extern uint8_t stack_bottom[];
void finish(uint32_t status);

static uint32_t ask_host(uint32_t operation, const void *argument)
{
#ifdef __riscv
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    __asm__ volatile(".balign 16\n"
                     ".option push\n"
                     ".option norvc\n"
                     "slli zero, zero, 0x1f\n"
                     "ebreak\n"
                     "srai zero, zero, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

void finish(uint32_t status)
{
    uint32_t arguments[2];
    arguments[0] = 0x20026; /* ADP_Stopped_ApplicationExit */
    arguments[1] = status;
    (void)ask_host(0x20, arguments); /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

void print_letter(char letter)
{
    (void)ask_host(0x03, &letter); /* SYS_WRITEC */
}

static uint32_t samples(void)
{
    static const char name[] = "test/samples.bin";
    static uint32_t handle;
    if (handle == 0) {
        uint32_t arguments[3];
        arguments[0] = (uint32_t)name;
        arguments[1] = 1; /* to read bytes */
        arguments[2] = sizeof name - 1;
        handle = ask_host(0x01, arguments); /* SYS_OPEN */
    }
    return handle;
}

void read_bytes(uint8_t *bytes, uint16_t count)
{
    uint32_t arguments[3];
    arguments[0] = samples();
    arguments[1] = (uint32_t)bytes;
    arguments[2] = count;
    if (ask_host(0x06, arguments) != 0) { /* SYS_READ: bytes that were not there */
        finish(2);
    }
}

void read_again(void)
{
    uint32_t arguments[2];
    arguments[0] = samples();
    arguments[1] = 0;
    (void)ask_host(0x0A, arguments); /* SYS_SEEK */
}

/* Ticks of a clock since some time, and eighths of an instruction in a tick. */
#ifdef __riscv
#define EIGHTHS 32u
static uint32_t ticks(void)
{
    uint32_t found;
    __asm__ volatile(".option push\n"
                     ".option arch, +zicsr\n"
                     "csrr %0, minstret\n"
                     ".option pop"
                     : "=r"(found));
    return found;
}

/* How often that has begun anew. */
static uint32_t rounds(void)
{
    uint32_t found;
    __asm__ volatile(".option push\n"
                     ".option arch, +zicsr\n"
                     "csrr %0, minstreth\n"
                     ".option pop"
                     : "=r"(found));
    return found;
}

/* Four instructions each: minstret counts them, or in older versions of QEMU the time that they take. */
static uint32_t elapsed(uint32_t from, uint32_t to)
{
    static uint32_t shift;
    if (shift == 0) {
        uint32_t before = ticks(), after;
        __asm__ volatile(".rept 64\n"
                         "nop\n"
                         ".endr");
        after = ticks();
        shift = after - before > 128 ? 4 : 2;
    }
    return (to - from) >> shift;
}
#else
#define SYSTICK ((volatile uint32_t *)0xE000E010) /* control, start, current: 24 bits that are counted down */
#ifdef __ARM_ARCH_6M__
#define EIGHTHS 125u /* 16 MHz */
#else
#define EIGHTHS 80u /* 25 MHz */
#endif
static uint32_t ticks(void)
{
    return 0xFFFFFFu - SYSTICK[2];
}
static uint32_t elapsed(uint32_t from, uint32_t to)
{
    return to - from;
}
#endif

static uint8_t *painted_to;
static uint16_t deepest;
static uint32_t began, taken, too_many; /* too_many: more than can be counted */
#ifdef __riscv
static uint32_t round;
#endif

__attribute__((noinline)) void begin_call(void)
{
    uint8_t *here = __builtin_frame_address(0), *byte;
    painted_to = here - 64; /* below what this call itself needs */
    for (byte = stack_bottom; byte < painted_to; byte++) {
        *(volatile uint8_t *)byte = PAINT;
    }
    painted_to = here;
#ifndef __riscv
    SYSTICK[0] = 0;
    SYSTICK[1] = 0xFFFFFFu;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5; /* the processor's clock, no interrupt */
    while (SYSTICK[2] == 0) {
    }
    (void)SYSTICK[0]; /* forgets that it was 0 */
#endif
#ifdef __riscv
    round = rounds();
#endif
    began = ticks();
}

void begin_learning(void)
{
    begin_call();
}

__attribute__((noinline)) void end_call(void)
{
    const uint8_t *byte = stack_bottom;
    uint32_t end = ticks(), now = elapsed(began, end);
#ifdef __riscv
    too_many |= rounds() - round != (end < began);
#else
    too_many |= SYSTICK[0] >> 16 & 1; /* it has been 0 */
#endif
    too_many |= now > 0xFFFFFFFFu - taken;
    taken += now;
    while (byte < painted_to && *byte == PAINT) {
        byte++;
    }
    if (painted_to - byte > deepest) {
        deepest = (uint16_t)(painted_to - byte);
    }
}

uint16_t deepest_stack(void)
{
    return deepest;
}

/* Without a division too, see test.c. */
uint32_t instructions_of(uint32_t samples)
{
    uint32_t found = 0, place = 1;
    while (samples < taken && samples >> 31 == 0) {
        samples <<= 1;
        place <<= 1;
    }
    for (; place > 0; place >>= 1, samples >>= 1) {
        if (taken >= samples) {
            taken -= samples;
            found += place;
        }
    }
    taken = 0;
    if (too_many) {
        too_many = 0;
        return 0;
    }
    return (found >> 3) * EIGHTHS + ((found & 7) * EIGHTHS >> 3);
}
