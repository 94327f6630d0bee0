"""The solver Adam (Kingma and Ba 2015, arXiv:1412.6980), its rate falling to 0 in a straight line."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


@dataclass
class Adam:
    """Numbers that follow their gradient: ``value -= rate * mean / sqrt(mean of squares)``.

    Parameters
    ----------
    value : ndarray of float32
        Changes in place.
    rate : float
        At the first step.
    steps : int
        After so many the rate is 0.
    """

    value: Floats
    rate: float
    steps: int
    mean: Floats = field(init=False)
    square: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.square = np.zeros_like(self.value), np.zeros_like(self.value)

    def step(self, number: int, slope: Any) -> None:
        """Take a step, `number` from 1 on."""
        self.mean += np.float32(0.1) * (slope - self.mean)
        self.square += np.float32(0.001) * (slope * slope - self.square)
        rate = self.rate * (1 - (number - 1) / self.steps) / (1 - 0.9**number)
        spread = np.sqrt(self.square * np.float32(1 / (1 - 0.999**number))) + np.float32(1e-9)
        self.value -= np.float32(rate) * self.mean / spread
