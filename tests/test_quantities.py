"""Amounts mean the same in every place that takes them, and none goes without a unit."""

import numpy as np
import pytest

from fspinn.base.errors import ConfigError
from fspinn.search import Constraints, parse_memory
from fspinn.search.quantities import AREA, ENERGY, MEMORY, TIME, parse


@pytest.mark.parametrize(
    ("amount", "bits"),
    [
        ("256KiB", 2**21),
        ("32 KiB", 2**18),
        ("1kB", 8000),
        ("1MB", 8_000_000),
        ("1.5 MiB", 12582912),
        ("8192B", 65536),
        (" 8192 b ", 65536),
        (16384, 131072),
        (np.int64(100), 800),
        (1.5, 12),
    ],
)
def test_memory_is_read_in_bytes_and_their_multiples(amount, bits):
    assert parse_memory(amount) == bits


@pytest.mark.parametrize(
    ("amount", "unit", "value"),
    [
        ("5us", TIME, 5e-6),
        ("5 µs", TIME, 5e-6),
        ("5ms", TIME, 5e-3),
        ("5s", TIME, 5.0),
        ("20m", TIME, 1200.0),
        ("20 min", TIME, 1200.0),
        ("3h", TIME, 10800.0),
        ("1d", TIME, 86400.0),
        (0.005, TIME, 0.005),
        ("3pJ", ENERGY, 3.0),
        ("3nJ", ENERGY, 3e3),
        ("2uJ", ENERGY, 2e6),
        ("2 μJ", ENERGY, 2e6),
        ("2mJ", ENERGY, 2e9),
        ("2J", ENERGY, 2e12),
        (500, ENERGY, 500.0),
        ("0.5mm2", AREA, 5e5),
        ("80um2", AREA, 80.0),
        (np.float32(80), AREA, 80.0),
    ],
)
def test_times_energies_and_areas_are_read_in_their_units(amount, unit, value):
    assert parse("x", amount, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "KiB", "-1KiB", "1 parsec", "1e3KiB", "0B", "0.01B", "nan", "9" * 400 + "B"]
)
def test_what_is_not_an_amount_of_memory_is_refused(text):
    with pytest.raises(ConfigError, match="write it like 256KiB"):
        parse_memory(text)


@pytest.mark.parametrize("unit", [MEMORY, TIME, ENERGY, AREA])
def test_a_text_without_a_unit_is_refused(unit):
    for text in ("5", " 5.0 "):
        with pytest.raises(
            ConfigError, match=f"^limit: '{text}' has no unit; write it like {unit.examples[:3]}"
        ):
            parse("limit", text, unit)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, "must be above 0"),
        (-1, "must be above 0"),
        (float("nan"), "nan is not a number"),
        (float("inf"), "inf is not a number"),
        (True, "True is not a number"),
        (1e308, "is too large"),
        (0.1, "is less than one byte"),
    ],
)
def test_a_number_that_is_not_an_amount_is_refused(amount, expected):
    with pytest.raises(ConfigError, match=f"^memory: .*{expected}"):
        parse_memory(amount)


def test_limits_in_numbers_and_in_words_are_the_same():
    words = Constraints.parsed(0.9, memory="16KiB", energy="2uJ", latency="5ms", area="1mm2", spikes="5")
    numbers = Constraints.parsed(0.9, memory=16384, energy=2e6, latency=0.005, area=1e6, spikes=5)
    assert words == numbers
