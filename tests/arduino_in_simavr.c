/*
 * Runs a sketch on an Arduino Uno in simavr: arduino_in_simavr PROGRAM PARTS LINES. Sends parts (each: two bytes of
 * length, the lower first, and so many bytes) through the serial port, the next one after a full stop, prints what
 * comes back, and ends after so many lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define CYCLES (60 * UINT64_C(16000000))

static FILE *parts;
static avr_irq_t *port;
static int open_port, left, lines;

static void begin_part(void)
{
    int low = fgetc(parts), high = fgetc(parts);
    left = high == EOF ? 0 : low | high << 8;
}

static void hear(struct avr_irq_t *irq, uint32_t byte, void *parameter)
{
    (void)irq;
    (void)parameter;
    (void)putchar((int)byte);
    lines -= byte == '\n';
    if (byte == '.') {
        begin_part();
    }
}

static void take(struct avr_irq_t *irq, uint32_t value, void *parameter)
{
    (void)irq;
    (void)value;
    open_port = parameter != NULL;
}

int main(int argc, char **argv)
{
    elf_firmware_t firmware;
    uint32_t flags = 0;
    avr_t *avr;
    memset(&firmware, 0, sizeof firmware);
    if (argc != 4 || (parts = fopen(argv[2], "rb")) == NULL || elf_read_firmware(argv[1], &firmware) != 0 ||
        (avr = avr_make_mcu_by_name("atmega328p")) == NULL) {
        return 2;
    }
    lines = atoi(argv[3]);
    (void)avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    /* Neither print what is sent, nor sleep where the program waits for input. */
    (void)avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    (void)avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    port = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), hear, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), take, &lines);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), take, NULL);
    begin_part();
    while (lines > 0 && avr->cycle < CYCLES) {
        int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            return 3;
        }
        if (open_port && left > 0) {
            left--;
            avr_raise_irq(port, (uint32_t)fgetc(parts));
        }
    }
    return lines > 0;
}
