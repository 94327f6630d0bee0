/* Start of a program on a RISC-V. (A real board has its own.) */
#include <stdint.h>

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[];
int main(void);
void finish(uint32_t status);
void fault(void);
void start(void);

__attribute__((naked, section(".vectors"), used)) void reset(void)
{
    __asm__ volatile("la sp, stack_top\n"
                     "la t0, fault\n"
                     ".option push\n"
                     ".option arch, +zicsr\n"
                     "csrw mtvec, t0\n"
                     ".option pop\n"
                     "j start");
}

__attribute__((aligned(4))) void fault(void)
{
    finish(3);
}

void start(void)
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
