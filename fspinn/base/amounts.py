"""Amounts as people read them: three figures and a natural unit, in a terminal, a page and a picture."""

_ENERGY = (("J", 1e12), ("mJ", 1e9), ("uJ", 1e6), ("nJ", 1e3), ("pJ", 1.0))
_TIME = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))
_MEMORY = (("GiB", 2.0**33), ("MiB", 2.0**23), ("KiB", 2.0**13))


def figures(value: float) -> str:
    """Return a number with three figures.

    >>> figures(0.08765), figures(12), figures(581395.3)
    ('0.0877', '12', '581,000')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"


def memory_text(bits: float) -> str:
    """Return a number of bits in bytes, which are whole, or in KiB and more.

    >>> memory_text(801), memory_text(8192 * 1.5), memory_text(2**24)
    ('101 B', '1.5 KiB', '2 MiB')
    """
    return f"{-(-bits // 8):.0f} B" if bits < _MEMORY[-1][1] else _in(_MEMORY, bits)


def energy_text(energy_pj: float) -> str:
    """Return an energy.

    >>> energy_text(1.254e6), energy_text(999.7)
    ('1.25 uJ', '1 nJ')
    """
    return _in(_ENERGY, energy_pj)


def time_text(seconds: float) -> str:
    """Return a time.

    >>> time_text(0.0021), time_text(3.276e-5), time_text(75), time_text(7400)
    ('2.1 ms', '32.8 us', '1:15 min', '2:03 h')
    """
    if seconds < 60:
        return _in(_TIME, seconds)
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"


def area_text(area_um2: float) -> str:
    """Return an area.

    >>> area_text(250_000), area_text(2_500)
    ('0.25 mm2', '0.0025 mm2')
    """
    return f"{figures(area_um2 / 1e6)} mm2"


def with_signs(text: str) -> str:
    """Return an amount with the signs that a page and a picture can show.

    >>> with_signs("1.25 uJ")
    '1.25 \u00b5J'
    """
    return text.replace(" uJ", " \u00b5J").replace(" us", " \u00b5s").replace(" mm2", " mm\u00b2")


def _in(units: tuple[tuple[str, float], ...], amount: float) -> str:
    """Return an amount in the greatest unit of which there is one at least, once rounded, or in the least."""
    unit, size = next((one for one in units if float(f"{amount / one[1]:.3g}") >= 1), units[-1])
    return f"{figures(amount / size)} {unit}"
