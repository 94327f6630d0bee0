"""How does an object look where somebody prints it? In one line, and in a notebook as tables and pictures."""

from collections.abc import Callable
from typing import Any


class Printed:
    """What is printed in the one line that its ``str`` gives.

    A dataclass says ``repr=False``, so that its own does not stand in the way.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Drawn(Printed):
    """What a notebook shows as tables and pictures, too: those that `drawn_by` knows."""

    def _repr_html_(self) -> str:
        return "".join(draw(self) for draw in _draw)


_draw: list[Callable[[Any], str]] = []


def drawn_by(draw: Callable[[Any], str]) -> None:
    """Say who makes HTML of objects: `fspinn.report` knows all rooms, and so none of them may import it."""
    _draw[:] = [draw]
