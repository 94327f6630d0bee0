"""What did a layer learn? Weights and thresholds: integers with a format, or floats while there is none."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.printing import Printed
from fspinn.quant.formats import Format, to_integers, to_values

FLOAT_BITS = 32


@dataclass(frozen=True, eq=False, repr=False)
class Tensor(Printed):
    """Numbers, and what they stand for.

    Parameters
    ----------
    numbers : ndarray
        Integers of `format`, or float32 where there is none.
    format : Format or None, default None
    """

    numbers: NDArray[Any]
    format: Format | None = None

    @classmethod
    def rounded(
        cls, values: NDArray[np.float32], format: Format, rounding: str = "nearest", **more: Any
    ) -> "Tensor":
        """Return values as integers of a format; `more` as for `fspinn.quant.formats.to_integers`."""
        lowest, highest = format.lowest_integer, format.highest_integer
        numbers = to_integers(values, format, rounding, **more)
        return cls(numbers.astype(np.min_scalar_type(lowest if lowest < 0 else highest)), format)

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.numbers.shape))} numbers in {self.format or self.numbers.dtype}"

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """The numbers as float32: a view of floats, computed for integers."""
        return self.numbers if self.format is None else to_values(self.numbers, self.format)

    @property
    def bits(self) -> int:
        """Bits of one number."""
        return FLOAT_BITS if self.format is None else self.format.bits


@dataclass(frozen=True)
class Formats:
    """Number formats of a layer that computes with integers only (see `fspinn.lowering.integers`).

    Parameters
    ----------
    weights : Format
    state : Format
        Of the membrane potentials, and of what they are compared with and lose.
    theta : Format
        Of what adaptation added to each threshold.
    """

    weights: Format
    state: Format
    theta: Format


@dataclass(frozen=True, eq=False, repr=False)
class LayerTensors(Printed):
    """What a layer learned.

    Parameters
    ----------
    weights : Tensor
        Shape (inputs, neurons): a row for each input of the field, in C order.
    theta : Tensor
        Shape (neurons,): what adaptation added to the firing threshold of each neuron.
    state : Format or None, default None
        Of potentials, and of what they are compared with and lose. A layer that has one, and formats of
        weights and theta, computes with integers only (see `fspinn.lowering.integers`).
    input_mask : ndarray of bool, shape (inputs,), or None, default None
        Which inputs are used, of a layer that computes with integers; None is all. The weights of the others
        are 0.

    Raises
    ------
    ConfigError
        If shapes or formats do not fit together.
    """

    weights: Tensor
    theta: Tensor
    state: Format | None = None
    input_mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        inputs, neurons = self.weights.numbers.shape
        for name, numbers, shape in (
            ("theta", self.theta.numbers, (neurons,)),
            ("input_mask", self.input_mask, (inputs,)),
        ):
            if numbers is not None and numbers.shape != shape:
                raise ConfigError(f"{name}: shape {numbers.shape} does not fit; these weights need {shape}")
        for name, tensor in (("weights", self.weights), ("theta", self.theta)):
            if not np.isfinite(tensor.numbers).all():
                raise ConfigError(f"{name}: holds NaN or infinity; train the network again")
            if self.state is not None and tensor.format is None:
                raise ConfigError(f"{name}: a layer with a state format needs a format of its {name} too")
        if self.input_mask is not None and self.state is None:
            raise ConfigError("input_mask: only a layer in integers has one; leave it out")

    def __str__(self) -> str:
        state = "" if self.state is None else f", state in {self.state}"
        return f"weights, {self.weights}; theta, {self.theta}{state}"

    @classmethod
    def of_floats(cls, weights: NDArray[np.float32], theta: NDArray[np.float32]) -> "LayerTensors":
        """Return the tensors of a layer that computes in floats."""
        return cls(Tensor(weights), Tensor(theta))

    @property
    def in_floats(self) -> "LayerTensors":
        """The same numbers, of a layer that computes in floats; weights of inputs that are not used are 0."""
        return LayerTensors.of_floats(self.weights.values, self.theta.values)

    @property
    def formats(self) -> Formats | None:
        """The formats of a layer that computes with integers only; None if it does not."""
        if self.state is None or self.weights.format is None or self.theta.format is None:
            return None
        return Formats(self.weights.format, self.state, self.theta.format)

    @property
    def state_bits(self) -> int:
        """Bits of one potential."""
        return FLOAT_BITS if self.state is None else self.state.bits

    @property
    def inputs(self) -> int:
        """How many inputs a neuron has, the unused ones included."""
        return len(self.weights.numbers)

    @property
    def inputs_used(self) -> int:
        """How many of them are used."""
        return self.inputs if self.input_mask is None else int(np.count_nonzero(self.input_mask))

    def keeping(self, neurons: NDArray[np.int64]) -> "LayerTensors":
        """Return the tensors of some of the neurons."""
        return replace(
            self,
            weights=replace(self.weights, numbers=np.ascontiguousarray(self.weights.numbers[:, neurons])),
            theta=replace(self.theta, numbers=self.theta.numbers[neurons]),
        )
