/*
 * Constants in flash: an AVR reads them with instructions of their own, any other processor as it reads all else.
 * A constant is defined with FSPINN_FLASH, and read with FSPINN_READ(its type, the element).
 */
#ifndef FSPINN_FLASH_H
#define FSPINN_FLASH_H

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define FSPINN_FLASH PROGMEM
#define FSPINN_READ(type, place)                                                    \
    ((type)(sizeof(type) == 1   ? pgm_read_byte(&(place))                           \
            : sizeof(type) == 2 ? pgm_read_word(&(place))                           \
            : sizeof(type) == 4 ? pgm_read_dword(&(place))                          \
                                : ((uint64_t)pgm_read_dword((const uint32_t *)&(place) + 1) << 32 | \
                                   pgm_read_dword(&(place)))))
#else
#define FSPINN_FLASH
#define FSPINN_READ(type, place) (place)
#endif

#endif
