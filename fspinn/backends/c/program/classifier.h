/*
 * A linear classifier of fspinn @version@, in whole numbers: what to call.
 *
 *     @name@_state state;
 *     int16_t class_found = @name@_answer(&state, sample, 0);
 *
 * A sample is @NAME@_PIXELS bytes, row by row, 0 is black. The calls are those of a spiking network; its number
 * changes nothing here. After a sample, state.scores[c] tells how much its bytes speak for class c. All that is kept
 * between calls is in the state, which is the caller's.
 * With @NAME@_EXTRA_FEATURES, so many bytes beside the sample: @name@_answer(&state, sample, number, features), or
 * @name@_class(&state, features). The README says how their values become bytes.
 * Where @NAME@_ROWS is 1 an image can come row by row, and where @NAME@_PUSH is 1 a signal value by value,
 * @NAME@_SAMPLE_CHANNELS bytes each; none is kept. @name@_start(&state, number), then @name@_row or @name@_push for
 * each of them (it returns how many are still to come), then @name@_class. What comes after the last one is ignored.
 * With @NAME@_SCALED, @name@_scaled turns what was recorded in a channel into its byte, and with
 * @NAME@_FEATURES_SCALED @name@_feature does so with a feature.
 * The class is -1 where the best one leads the second by less than the margin.
 */
#ifndef @NAME@_H
#define @NAME@_H

#include <stdint.h>

@defines@

typedef struct {
    @score@ scores[@NAME@_CLASSES];
    /* All else is the program's own. */
    const uint8_t *next;
    @buffer@ bits;
    uint8_t left;
    uint16_t lines_left;
} @name@_state;

#ifdef __cplusplus
extern "C" {
#endif

@calls@

#ifdef __cplusplus
}
#endif

#endif
