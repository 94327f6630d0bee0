"""Where do the neurons of a layer look? Positions of a field on its input, and the cell of each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Geometry:
    """Positions of a field, row by row; the whole field fits at each of them.

    Parameters
    ----------
    height, width, channels : int
        Of the input.
    field : tuple of int
        Height and width of what a neuron sees.
    stride : int
        Distance of neighbouring positions.
    cells : tuple of int
        Rows and columns of the grid in which output spikes are counted.
    """

    height: int
    width: int
    channels: int
    field: tuple[int, int]
    stride: int
    cells: tuple[int, int]

    @property
    def rows(self) -> int:
        """Rows of positions."""
        return (self.height - self.field[0]) // self.stride + 1

    @property
    def columns(self) -> int:
        """Columns of positions."""
        return (self.width - self.field[1]) // self.stride + 1

    @property
    def positions(self) -> int:
        """Number of positions."""
        return self.rows * self.columns

    @property
    def fan_in(self) -> int:
        """Inputs of a neuron: its field, then its channels, in C order."""
        return self.field[0] * self.field[1] * self.channels

    @cached_property
    def cell_of(self) -> NDArray[np.int32]:
        """Cell of each position, shape (positions,): of n positions in a row, a is in ``a * cells // n``."""
        row = np.arange(self.rows) * self.cells[0] // self.rows
        column = np.arange(self.columns) * self.cells[1] // self.columns
        cells: NDArray[np.int32] = (row[:, None] * self.cells[1] + column).reshape(-1).astype(np.int32)
        return cells

    @cached_property
    def corners(self) -> NDArray[np.int32]:
        """Row and column of the upper left input of each position, shape (positions, 2)."""
        grid = np.meshgrid(np.arange(self.rows), np.arange(self.columns), indexing="ij")
        return np.stack(grid, axis=-1).reshape(-1, 2).astype(np.int32) * np.int32(self.stride)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """Row, column and channel of each input, shape (inputs, 3)."""
        shape = (self.height, self.width, self.channels)
        return np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=-1).astype(np.int32)
