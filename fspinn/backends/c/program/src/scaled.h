/* Values as they were recorded become bytes. Included once in each network's own file. */
#if FSPINN_SCALED || FSPINN_FEATURES_SCALED
static uint8_t in_byte(int32_t value, int32_t low, uint32_t span)
{
    uint32_t height = (uint32_t)value - (uint32_t)low;
    FSPINN_SCALE rest_of_it, scaled_to;
    if (value <= low) {
        return 0;
    }
    if (height >= span) {
        return 255;
    }
    scaled_to = (FSPINN_SCALE)height * 255u / span;
    rest_of_it = (FSPINN_SCALE)height * 255u % span;
    scaled_to += rest_of_it > span - rest_of_it || (rest_of_it == span - rest_of_it && (scaled_to & 1));
    return (uint8_t)scaled_to; /* to nearest, of a half to the even one */
}
#endif

#if FSPINN_SCALED
uint8_t FSPINN_CALL(scaled)(int32_t value, uint8_t channel)
{
    return in_byte(value, FSPINN_READ(int32_t, lows[channel]), FSPINN_READ(uint32_t, spans[channel]));
}
#endif

#if FSPINN_FEATURES_SCALED
uint8_t FSPINN_CALL(feature)(int32_t value, uint8_t number)
{
    return in_byte(value, FSPINN_READ(int32_t, feature_lows[number]),
                   FSPINN_READ(uint32_t, feature_spans[number]));
}
#endif
