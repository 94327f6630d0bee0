/*
 * Start of a program on a Cortex-M4, and its words to a debugger or an emulator by semihosting.
 * (What is put in here for the tests; a real board has its own.)
 */
#include <stdint.h>

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[];
void stack_top(void); /* no function: the linker script's address, of the type that the vectors have */
int main(void);
void print(const char *text);
void reset(void);

/* Ask the host for something; operation numbers are those of Arm's "Semihosting for AArch32 and AArch64". */
static void ask_host(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void print(const char *text)
{
    ask_host(0x04, text); /* SYS_WRITE0 */
}

void reset(void)
{
    const uint32_t *from = data_load;
    uint32_t *to, arguments[2];
    for (to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    arguments[0] = 0x20026; /* ADP_Stopped_ApplicationExit */
    arguments[1] = (uint32_t)main();
    ask_host(0x20, arguments); /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

static void fault(void)
{
    uint32_t arguments[2] = {0x20026, 2};
    ask_host(0x20, arguments);
    for (;;) {
    }
}

/* Top of the stack, reset, and the exceptions of the core. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    stack_top, reset, fault, fault, fault, fault, fault, 0,
    0, 0, 0, fault, fault, 0, fault, fault,
};
