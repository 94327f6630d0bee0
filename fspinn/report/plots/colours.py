"""Colours that everybody can distinguish: Paul Tol's `bright`, the red of `vibrant`, and `smooth rainbow`.

Pictures are legible in grey too: what differs in colour differs in its mark, its line or its place as well.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHADES = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#bbbbbb")
CHOSEN = "#cc3311"
GREY = "#888888"
MARKS = "os^DvPX*"
"""One for each of several kinds of points."""
SIGNED = "cividis"
"""For values of both signs: from dark blue through grey, which is 0, to bright yellow."""
RAINBOW = (
    "#9B62A7", "#8C4E99", "#6F4C9B", "#6059A9", "#5568B8", "#4E79C5", "#4D8AC6", "#4E96BC", "#549EB3",
    "#59A5A9", "#60AB9E", "#69B190", "#77B77D", "#8CBC68", "#A6BE54", "#BEBC48", "#D1B541", "#DDAA3C",
    "#E49C39", "#E78C35", "#E67932", "#E4632D", "#DF4828", "#DA2222", "#B8221E", "#95211B", "#721E17",
    "#521A13",
)  # fmt: skip
"""For many neurons; without its palest end, which is for no data."""


def of_weights(pictures: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """Return colours for pictures of weights, for `imshow`: `SIGNED`, if any of them is below 0."""
    lowest, highest = (
        float(find([find(picture) for picture in pictures])) for find in (np.nanmin, np.nanmax)
    )
    if lowest >= 0:
        return {"cmap": "magma", "vmin": 0.0, "vmax": max(highest, 1e-9)}
    most = max(highest, -lowest)
    return {"cmap": SIGNED, "vmin": -most, "vmax": most}
