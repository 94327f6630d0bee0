/* Start of a program on a Cortex-M. (A real board has its own.) */
#include <stdint.h>

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[];
void stack_top(void); /* no function: the linker script's address, of the type that the vectors have */
int main(void);
void finish(uint32_t status);
void reset(void);

void reset(void)
{
    const uint32_t *from = data_load;
    uint32_t *to;
    for (to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    finish((uint32_t)main());
}

static void fault(void)
{
    finish(3);
}

/* Top of the stack, reset, and the exceptions of the core. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    stack_top, reset, fault, fault, fault, fault, fault, 0,
    0, 0, 0, fault, fault, 0, fault, fault,
};
