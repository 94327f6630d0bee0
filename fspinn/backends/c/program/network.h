/*
 * A network of fspinn @version@, in whole numbers: what to call.
 *
 *     @name@_state state;
 *     int16_t class_found = @name@_answer(&state, sample, 0);
 *
 * A sample is @NAME@_PIXELS bytes, row by row, 0 is black. After it, state.counts[k * @NAME@_NEURONS + j] tells how
 * often neuron j of the last layer has spiked in cell k. The number of a sample fixes its input spikes;
 * `fspinn evaluate` counts from 0. All that is kept between calls is in the state, which is the caller's.
 * With @NAME@_EXTRA_FEATURES, so many bytes beside the sample: @name@_answer(&state, sample, number, features), or
 * @name@_class(&state, features). The README says how their values become bytes.
 * Where @NAME@_ROWS is 1 an image can come row by row, and where @NAME@_PUSH is 1 a signal value by value,
 * @NAME@_SAMPLE_CHANNELS bytes each; only what the field covers is kept. @name@_start(&state, number), then @name@_row
 * or @name@_push for each of them (it returns how many are still to come; with the last one all layers answer), then
 * @name@_class. The answer is that to the whole sample. What comes after the last row or value is ignored.
 * With @NAME@_SCALED, @name@_scaled turns what was recorded in a channel into its byte, and with
 * @NAME@_FEATURES_SCALED @name@_feature does so with a feature.
 * Where @NAME@_EVENTS is 1 a sample is a recording of events, of @NAME@_SAMPLE_HEIGHT rows of @NAME@_SAMPLE_WIDTH
 * pixels, and times are microseconds since its start: @name@_start(&state), @name@_event(&state, x, y, polarity, time)
 * for each event in the order of their times, @name@_end(&state) for the class; or @name@_answer(&state, events, count)
 * for all of it. There is no number, as nothing is random. Events beside the sensor, or too late, are ignored.
 * Where @NAME@_LEARNS is 1, call @name@_learn_start(&state) once, before all else; then, between samples,
 * @name@_learn(&state, sample) learns from a whole one, without its class. state.learned is all that was learned.
 * The class is -1 where the best one leads the second by less than the margin, and where no neuron has spiked and no
 * feature is above its lowest level, unless silence means a class.
 */
#ifndef @NAME@_H
#define @NAME@_H

#include <stdint.h>

@defines@
@structs@
typedef struct {
@state@
} @name@_state;

#ifdef __cplusplus
extern "C" {
#endif

@calls@

#ifdef __cplusplus
}
#endif

#endif
