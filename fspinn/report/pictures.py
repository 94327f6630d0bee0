"""Pictures of the network inside the page: drawings of `report.plots`, in a grey for all backgrounds."""

import base64
import io
from collections.abc import Callable
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

_GREY_PARTS = ("text.", "axes.label", "axes.title", "axes.edge", "xtick.", "ytick.")
_LOOK: dict[Any, Any] = {f"{part}color": "#858585" for part in _GREY_PARTS}
_LOOK |= {"svg.hashsalt": "fspinn", "svg.fonttype": "none"}


def as_data_address(draw: Callable[..., Figure], *arguments: Any) -> str:
    """Return what a function draws as an SVG picture that is an address itself."""
    written = io.BytesIO()
    with rc_context(_LOOK):
        figure = draw(*arguments)
        figure.savefig(written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode()
