/* The network that is tested, by names that are the same for every network. */
#include "../@name@.h"

#define TESTED(call) @name@_##call
#define TESTED_PIXELS @NAME@_PIXELS
#define TESTED_WIDTH @NAME@_SAMPLE_WIDTH
#define TESTED_HEIGHT @NAME@_SAMPLE_HEIGHT
#define TESTED_CHANNELS @NAME@_SAMPLE_CHANNELS
#define TESTED_LINEAR @linear@
#define TESTED_CLASSES @NAME@_CLASSES
#define TESTED_FEATURES @NAME@_FEATURES
#define TESTED_EXTRA_FEATURES @NAME@_EXTRA_FEATURES
#define TESTED_ROWS @NAME@_ROWS
#define TESTED_PUSH @NAME@_PUSH
#define TESTED_LEARNS @NAME@_LEARNS
#if TESTED_LEARNS
#define TESTED_LEARNED_BYTES @NAME@_LEARNED_BYTES
#endif
