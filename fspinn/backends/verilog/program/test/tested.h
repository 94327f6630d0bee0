/* What test.cpp needs to know of @name@. */
#define PIXELS @PIXELS@
