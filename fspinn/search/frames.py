"""How do rows become a table to go on with in Python? As pandas has it, where that is installed."""

from collections.abc import Mapping, Sequence
from typing import Any


def frame_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return a ``pandas.DataFrame`` with a column for each key; a list of dictionaries without pandas."""
    try:
        from pandas import DataFrame
    except ImportError:
        return [dict(row) for row in rows]
    return DataFrame(rows)


def in_a_row(trial: dict[str, Any]) -> dict[str, Any]:
    """Return what a trial says by name in one level: ends of an interval apart, settings as words."""
    row = dict(trial)
    row["accuracy_low"], row["accuracy_high"] = row.pop("accuracy_interval") or (None, None)
    row["settings"] = " ".join(f"{name}={value}" for name, value in row.pop("settings").items())
    return row
