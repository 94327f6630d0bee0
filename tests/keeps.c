/*
 * On an AVR: learns from ten images, keeps what it has learned in the EEPROM, and lets the watchdog reset it, as
 * often as it takes to have learned from thirty. Prints in hexadecimal what it has learned then. For
 * test_export_learning.py, with test/avr.c and test/simavr.c of an exported folder.
 */
#include <avr/eeprom.h>
#include <avr/io.h>
#include <avr/wdt.h>

#include "network.h"
#include "test/platform.h"

static network_state state;
static network_learned EEMEM kept = {.samples = 20, .model = NETWORK_MODEL ^ 1}; /* as another model left it */
static uint8_t image[NETWORK_PIXELS];

int main(void)
{
    const uint8_t *learned = (const uint8_t *)&state.learned;
    uint8_t left;
    uint16_t i;
    MCUSR = 0;
    wdt_disable();
    eeprom_read_block(&state.learned, &kept, sizeof kept);
    if (state.learned.model != NETWORK_MODEL) {
        network_learn_start(&state);
    }
    for (left = 10; left > 0; left--) {
        read_bytes(image, sizeof image);
        network_learn(&state, image);
    }
    eeprom_update_block(&state.learned, &kept, sizeof kept);
    if (state.learned.samples < 30) {
        wdt_enable(WDTO_15MS);
        for (;;) {
        }
    }
    for (i = 0; i < NETWORK_LEARNED_BYTES; i++) {
        print_letter("0123456789abcdef"[learned[i] >> 4]);
        print_letter("0123456789abcdef"[learned[i] & 15]);
    }
    print_letter('\n');
    return 0;
}
