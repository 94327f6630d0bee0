"""Fixed-point formats against exact rational arithmetic."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import FormatError
from fspinn.base.randomness import ROUNDING, stream_key, uniforms
from fspinn.quant import Format
from fspinn.quant.formats import OVERFLOWS, ROUNDINGS, quantize_values, saturates, to_integers, to_values

KEY = stream_key(1, ROUNDING)


@st.composite
def formats(draw):
    signed = draw(st.booleans())
    bits = draw(st.integers(1, 32))
    integer_bits = draw(st.integers(1 if signed else 0, bits))
    return Format(integer_bits, bits - integer_bits, signed)


any_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
near_one = st.floats(-4, 4, width=32)


def exact_integer(value, format, rounding, overflow, random=0.0):
    """Return what `to_integers` should, in rational arithmetic (Python's `round` has ties to even)."""
    scaled = Fraction(value) * 2**format.fraction_bits
    integer = round(scaled) if rounding == "nearest" else floor(scaled)
    if rounding == "stochastic" and Fraction(random) < scaled - integer:
        integer += 1
    if overflow == "saturate":
        return min(max(integer, format.lowest_integer), format.highest_integer)
    while integer < format.lowest_integer or integer > format.highest_integer:
        quotient = (integer - format.lowest_integer) // 2**format.bits
        integer -= quotient * 2**format.bits
    return integer


@given(st.lists(any_float32 | near_one), formats(), st.sampled_from(ROUNDINGS), st.sampled_from(OVERFLOWS))
def test_integers_are_those_of_exact_arithmetic(values, format, rounding, overflow):
    array = np.array(values, dtype=np.float32)
    integers = to_integers(array, format, rounding, overflow=overflow, key=KEY)
    randoms = uniforms(KEY, len(values)).tolist()
    assert integers.tolist() == [
        exact_integer(value, format, rounding, overflow, random)
        for value, random in zip(array.tolist(), randoms, strict=True)
    ]


@given(
    st.lists(near_one | any_float32, min_size=1),
    formats(),
    st.sampled_from([("truncate", "TO_NEG"), ("nearest", "TIES_EVEN")]),
    st.sampled_from([("saturate", "SAT"), ("wrap", "WRAP")]),
)
def test_integers_are_those_of_apytypes(values, format, rounding, overflow):
    """Its formats are all signed: an unsigned one is one bit wider there, without negative numbers."""
    import apytypes

    if not format.signed and overflow[0] == "saturate":
        values = [abs(value) for value in values]
    wide = apytypes.APyFixedArray.from_array(np.array(values, dtype=np.float64), int_bits=130, frac_bits=160)
    narrow = wide.cast(
        format.integer_bits + (not format.signed),
        format.fraction_bits,
        quantization=getattr(apytypes.QuantizationMode, rounding[1]),
        overflow=getattr(apytypes.OverflowMode, overflow[1]),
    )
    theirs = narrow.to_bits(numpy=False)
    ours = to_integers(np.array(values, np.float32), format, rounding[0], overflow=overflow[0])
    pattern = 2**format.bits
    assert [integer % pattern for integer in ours.tolist()] == [integer % pattern for integer in theirs]


@given(formats(), st.data())
def test_every_number_of_a_format_is_kept(format, data):
    integer = data.draw(st.integers(format.lowest_integer, format.highest_integer))
    for rounding in ROUNDINGS:
        assert to_integers(float(Fraction(integer) / 2**format.fraction_bits), format, rounding) == integer


@given(formats(), st.lists(any_float32 | near_one), st.sampled_from(ROUNDINGS))
def test_quantizing_twice_changes_nothing_where_float32_is_exact(format, values, rounding):
    if format.bits <= 24:
        once = quantize_values(values, format, rounding)
        assert once.dtype == np.float32
        np.testing.assert_array_equal(quantize_values(once, format, rounding), once)


@given(formats(), near_one, st.sampled_from(ROUNDINGS))
def test_what_does_not_saturate_is_off_by_less_than_a_step(format, value, rounding):
    error = Fraction(int(to_integers(value, format, rounding))) / 2**format.fraction_bits - Fraction(value)
    if saturates(value, format, rounding):
        assert int(to_integers(value, format)) in (format.lowest_integer, format.highest_integer)
    elif rounding == "nearest":
        assert abs(error) <= Fraction(1, 2 ** (format.fraction_bits + 1))
    elif rounding == "truncate":
        assert -Fraction(1, 2**format.fraction_bits) < error <= 0
    else:
        assert abs(error) < Fraction(1, 2**format.fraction_bits)


@given(formats())
def test_text_and_format_are_the_same_thing(format):
    assert Format.parse(str(format)) == format


@given(formats())
def test_a_format_has_two_to_the_bits_numbers(format):
    assert format.highest_integer - format.lowest_integer + 1 == 2**format.bits
    assert format.highest - format.lowest + format.step == 2.0**format.integer_bits


@pytest.mark.parametrize(
    ("value", "nearest", "truncated"),
    [(0.5, 0, 0), (1.5, 2, 1), (2.5, 2, 2), (-0.5, 0, -1), (-1.5, -2, -2), (-2.5, -2, -3), (0.51, 1, 0)],
)
def test_ties_go_to_even_and_truncation_goes_down(value, nearest, truncated):
    format = Format.parse("Q4.0")
    assert to_integers(value, format) == nearest
    assert to_integers(value, format, "truncate") == truncated


@pytest.mark.parametrize(
    ("text", "low", "high"), [("UQ0.4", 0, 15), ("Q1.3", -8, 7), ("UQ0.32", 0, 2**32 - 1)]
)
def test_what_does_not_fit_saturates(text, low, high):
    format = Format.parse(text)
    assert to_integers([-np.inf, -1e30, 1e30, np.inf], format).tolist() == [low, low, high, high]
    assert saturates([-np.inf, 0, np.inf], format).tolist() == [True, False, True]


def test_float32_near_two_to_the_24_is_exact():
    values = np.array([2**24 - 1, 2**24, 2**24 + 2], dtype=np.float32)
    assert to_integers(values, Format.parse("UQ32.0")).tolist() == [2**24 - 1, 2**24, 2**24 + 2]
    assert to_values([2**24 - 1], Format.parse("UQ24.0"))[0] == 2**24 - 1


@pytest.mark.parametrize(
    "text",
    ["", "Q", "Q4", "Q1.", "Q.7", "UQ0,4", "uq0.4", " Q1.7", "Q1.7\n", "int8", "Q1e1.2", "Q٣.٤", 8],
)  # fmt: skip
def test_text_that_is_no_format_is_refused(text):
    with pytest.raises(
        FormatError, match=r"is not a number format; write Qm\.n \(signed\) or UQm\.n"
    ) as refusal:
        Format.parse(text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["UQ0.0", "Q0.0", "UQ16.17", "Q33.0", "UQ99.99"])
def test_a_width_of_zero_or_above_32_bits_is_refused(text):
    with pytest.raises(FormatError, match=r"a format has 1 to 32, such as UQ0\.4"):
        Format.parse(text)


def test_a_signed_format_without_room_for_the_sign_is_refused():
    with pytest.raises(FormatError, match=r"Q0\.8: no room for the sign.* use Q1\.7 or UQ0\.8"):
        Format.parse("Q0.8")


@pytest.mark.parametrize("count", [-1, 1.0, True, "4"])
def test_bits_that_cannot_be_counted_are_refused(count):
    with pytest.raises(FormatError, match=r"fraction_bits: .* is not a number of bits"):
        Format(1, count, signed=True)


def test_nan_is_refused():
    with pytest.raises(FormatError, match=r"NaN has no integer in UQ0\.4"):
        to_integers([0.5, np.nan], Format.parse("UQ0.4"))


def test_infinity_does_not_wrap():
    with pytest.raises(
        FormatError, match=r"infinity has no integer in Q1\.7 that it could wrap to; let it sat"
    ):
        to_integers([0.5, np.inf], Format.parse("Q1.7"), overflow="wrap")


@given(formats(), st.sampled_from([-np.inf, np.inf]))
def test_infinity_saturates_whatever_the_rounding(format, value):
    end = format.lowest_integer if value < 0 else format.highest_integer
    assert [int(to_integers(value, format, rounding)) for rounding in ROUNDINGS] == [end] * len(ROUNDINGS)


def test_stochastic_rounding_is_right_on_average_and_never_off_by_a_step():
    format = Format.parse("Q1.3")
    for value in (0.03, -0.4, 0.5):
        rounded = quantize_values(np.full(40_000, value), format, "stochastic", key=KEY)
        assert abs(rounded.mean() - value) < 0.002
        assert (abs(rounded - value) < format.step).all()


def test_stochastic_rounding_is_fixed_by_its_key():
    values = np.linspace(0, 1, 1000)
    format = Format.parse("UQ0.4")
    once, again = (to_integers(values, format, "stochastic", key=KEY) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    other = to_integers(values, format, "stochastic", key=stream_key(2, ROUNDING))
    assert (once != other).any()
    # An element's integer depends on its place, not on how many come after it, nor on the shape.
    np.testing.assert_array_equal(to_integers(values[:10], format, "stochastic", key=KEY), once[:10])
    shaped = to_integers(values.reshape(10, 100), format, "stochastic", key=KEY)
    np.testing.assert_array_equal(shaped.ravel(), once)


@pytest.mark.parametrize(
    ("text", "value", "wrapped"),
    [("UQ0.4", 1.0, 0), ("UQ0.4", -1 / 16, 15), ("Q1.3", 1.0, -8), ("Q1.3", -1.125, 7), ("Q1.7", 1e30, 0)],
)
def test_what_does_not_fit_can_wrap_around(text, value, wrapped):
    assert to_integers(value, Format.parse(text), overflow="wrap") == wrapped


def test_an_unknown_overflow_is_refused_with_the_known_ones():
    with pytest.raises(FormatError, match="overflow: there is no 'clip'; use one of saturate, wrap"):
        to_integers([0.5], Format.parse("UQ0.4"), overflow="clip")


def test_an_unknown_rounding_is_refused_with_the_known_ones():
    with pytest.raises(FormatError, match="'up' is not a rounding; use one of truncate, nearest, stoch"):
        to_integers([0.5], Format.parse("UQ0.4"), "up")
