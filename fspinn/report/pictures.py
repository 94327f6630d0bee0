"""Pictures of the network inside the page: drawings of `report.plots`, in a grey for all backgrounds."""

import base64
import io
from collections.abc import Callable
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

_GREY = "#858585"
_COLOURS = (
    "text.color",
    "axes.labelcolor",
    "axes.titlecolor",
    "axes.edgecolor",
    "xtick.color",
    "ytick.color",
)


def as_data_address(draw: Callable[..., Figure], *arguments: Any) -> str:
    """Return a drawing as the address of an SVG picture that is the address itself.

    Parameters
    ----------
    draw : callable
        Returns a figure.
    *arguments
        Of `draw`.
    """
    written = io.BytesIO()
    settings: dict[Any, Any] = {
        **dict.fromkeys(_COLOURS, _GREY),
        "svg.hashsalt": "fspinn",
        "svg.fonttype": "none",
    }
    with rc_context(settings):
        draw(*arguments).savefig(
            written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None}
        )
    return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode()
