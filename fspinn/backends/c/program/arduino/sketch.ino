/*
 * A spiking network of fspinn on an Arduino: send a sample through the serial port, row by row or value by value
 * where that is possible, and its features if it has any. The sketch answers each part with a full stop, so that
 * the next one can come, and the last one with the class (-1 is none) on a line. At 115200 baud.
 */
#include "@name@.h"

#if @NAME@_PUSH
const uint16_t parts = @NAME@_SAMPLE_WIDTH;
#elif @NAME@_ROWS
const uint16_t parts = @NAME@_SAMPLE_HEIGHT;
#else
const uint16_t parts = 1;
#endif

static @name@_state state;
static uint8_t part[@NAME@_PIXELS / parts];
static uint32_t number; /* of the sample: fixes the spikes of encoders with noise */

static void receive(uint8_t *bytes, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        while (Serial.available() == 0) {
        }
        bytes[i] = (uint8_t)Serial.read();
    }
    Serial.print('.');
}

void setup()
{
    Serial.begin(115200);
}

void loop()
{
    int16_t found;
#if @NAME@_PUSH || @NAME@_ROWS
    @name@_start(&state, number);
    for (uint16_t i = 0; i < parts; i++) {
        receive(part, sizeof part);
#if @NAME@_PUSH
        @name@_push(&state, part);
#else
        @name@_row(&state, part);
#endif
    }
#else
    receive(part, sizeof part);
#endif
#if @NAME@_EXTRA_FEATURES > 0
    static uint8_t features[@NAME@_EXTRA_FEATURES];
    receive(features, sizeof features);
#if @NAME@_PUSH || @NAME@_ROWS
    found = @name@_class(&state, features);
#else
    found = @name@_answer(&state, part, number, features);
#endif
#elif @NAME@_PUSH || @NAME@_ROWS
    found = @name@_class(&state);
#else
    found = @name@_answer(&state, part, number);
#endif
    number++;
    Serial.println(found);
}
