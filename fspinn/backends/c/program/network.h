/*
 * A network of fspinn @version@, in whole numbers: what to call, and (for network.c only) numbers of it.
 *
 *     int32_t class_found = network_answer(image, 0);
 *
 * An image is NETWORK_PIXELS bytes, row by row, 0 is black. After it, network_counts[k * NETWORK_NEURONS + j]
 * tells how often neuron j of the last layer has spiked in cell k. The number of an image fixes its input spikes;
 * `fspinn evaluate` counts from 0.
 * Step by step, where there is one layer: network_start, then for each of NETWORK_POSITIONS network_look and
 * network_step NETWORK_STEPS times (the neuron that spikes, or -1; with NETWORK_INHIBITION_FIRST a spike is the
 * last step, with NETWORK_INHIBITION_NONE several may spike, and it is the last of them), then network_class. The
 * image has to stay until the last step. One image at a time: the state is static.
 * With NETWORK_EXTRA_FEATURES, so many bytes beside the image: network_answer(image, number, features), or
 * network_class(features). The README says how their values become bytes.
 * With NETWORK_POOL above 1 the network sees the means of blocks of so many columns, and NETWORK_POOL_ROWS rows.
 * Of a signal (where NETWORK_PUSH is 1) values can come one by one, NETWORK_SAMPLE_CHANNELS bytes each, and only
 * the last NETWORK_KEPT (or their means) are kept: network_start(0, number), then network_push for each of
 * NETWORK_SAMPLE_WIDTH values (it returns how many are still to come; with the last one all layers answer), then network_class. The answer is
 * that to the whole sample.
 * With NETWORK_SCALED, network_scaled turns what was recorded in a channel into its byte, and with
 * NETWORK_FEATURES_SCALED network_feature does so with a feature. What is pushed after the last value is ignored.
 * The class is -1 where the best one leads the second by less than NETWORK_REJECT steps of the readout, and
 * where no neuron has spiked and no feature is above its lowest level, unless NETWORK_ANSWERS_SILENCE.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

#define NETWORK_POISSON 0
#define NETWORK_REGULAR 1
#define NETWORK_TTFS 2
#define NETWORK_UNSCALED 3
#define NETWORK_AS_IT_IS 0
#define NETWORK_ON_OFF 1
#define NETWORK_LEVEL 2
#define NETWORK_DELTA 3
#define NETWORK_LEVEL_DELTA 4
#define NETWORK_TABLE 0
#define NETWORK_LABELS 1
#define NETWORK_INHIBITION_LATERAL 1
#define NETWORK_INHIBITION_LAYER 2
#define NETWORK_INHIBITION_CLAMP 3
#define NETWORK_INHIBITION_FIRST 4
#define NETWORK_INHIBITION_RANKED 5
#define NETWORK_INHIBITION_NONE 6

@defines@

#ifdef __cplusplus
extern "C" {
#endif

extern network_count network_counts[NETWORK_FEATURES];

void network_start(const uint8_t *image, uint32_t number);
#if NETWORK_LAYERS == 1
void network_look(uint32_t position);
int32_t network_step(void);
#endif
#if NETWORK_EXTRA_FEATURES > 0
int32_t network_answer(const uint8_t *image, uint32_t number, const uint8_t *features);
int32_t network_class(const uint8_t *features);
#else
int32_t network_answer(const uint8_t *image, uint32_t number);
int32_t network_class(void);
#endif
#if NETWORK_PUSH
uint32_t network_push(const uint8_t *value);
#endif
#if NETWORK_SCALED
uint8_t network_scaled(int32_t value, uint32_t channel);
#endif
#if NETWORK_FEATURES_SCALED
uint8_t network_feature(int32_t value, uint32_t number);
#endif

#ifdef __cplusplus
}
#endif

#ifdef NETWORK_DATA

@data@

#endif
#endif
