"""One network that could be the answer: what has to be trained, and what is made of it afterwards."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fspinn.answering.compress import Lowering
from fspinn.base.checks import whole_number
from fspinn.base.errors import ConfigError
from fspinn.base.settings import bare, differences
from fspinn.lowering.integers import MAX_STATE_BITS
from fspinn.model.readout import check_name
from fspinn.network.description import Network
from fspinn.network.learners import StdpLabels
from fspinn.network.setup import Setup
from fspinn.quant.formats import Format, bits_of, check_format, check_rounding

FLOAT = "float32"
"""Stands where numbers are not quantized."""

FLOAT_BITS = 32
READOUT_BITS = 8
"""Bits of an entry of a quantized readout, see `fspinn.quantize`."""


@dataclass(frozen=True, order=True)
class Variant:
    """What can be made of one trained network without training it again.

    Parameters
    ----------
    weights : str, default "float32"
        Format of the weights; the readout is quantized with them.
    state : str, default "float32"
        Format of potentials and thresholds; with one the network computes in integers. ``"16 bits"`` is the
        finest format of 16 bits that holds what they do on training images.
    rounding : {"nearest", "truncate", "stochastic"}, default "nearest"
        Of the weights.
    prune : bool, default False
        Drop neurons that never spike and pixels whose weights are all zero; needs a format of the state.
    readout : str, default "proportion"
    theta : str or None, default None
        Format of what adaptation added to the thresholds; None is the narrowest that holds it.
    readout_format : str or None, default None
        Of the entries of the readout, where the weights have a format; None is 8 bits. With less, ``linear``
        is fitted with its rounding in the loop.

    Raises
    ------
    ConfigError, FormatError
        If a format, rounding or readout is unknown, or they do not go together.
    """

    weights: str = FLOAT
    state: str = FLOAT
    rounding: str = "nearest"
    prune: bool = False
    readout: str = "proportion"
    theta: str | None = None
    readout_format: str | None = None

    def __post_init__(self) -> None:
        check_format("weights", self.weights, words=(FLOAT,))
        check_format("state", self.state, or_bits=True, words=(FLOAT,))
        if self.calibrated_bits is not None:
            whole_number("state", self.calibrated_bits, 1, MAX_STATE_BITS)
        for name, text in (("theta", self.theta), ("readout_format", self.readout_format)):
            if text is not None:
                check_format(name, text)
        check_rounding(self.rounding)
        check_name(self.readout)
        if not isinstance(self.prune, bool):
            raise ConfigError(f"prune: {self.prune!r} is neither true nor false; write one of them")
        if self.weights == FLOAT and self.state != FLOAT:
            raise ConfigError(f"state: {self.state} needs a format of the weights; give one of both")
        if self.state == FLOAT and self.theta is not None:
            raise ConfigError(f"theta: {self.theta} needs a format of the state; give one of both")
        if self.weights == FLOAT and self.readout_format is not None:
            raise ConfigError(f"readout_format: {self.readout_format} needs a format of the weights too")
        if self.state == FLOAT and self.prune:
            raise ConfigError("prune: only a network in integers can be pruned; give a format of the state")

    @property
    def weight_bits(self) -> int:
        """Bits of one weight."""
        return _bits(self.weights)

    @property
    def state_bits(self) -> int:
        """Bits of one potential."""
        return self.calibrated_bits or _bits(self.state)

    @property
    def calibrated_bits(self) -> int | None:
        """Bits of a state whose format training images tell; None if it is given."""
        return bits_of(self.state)

    def lowering(self) -> Lowering | None:
        """Return what the compiler has to do; None if all numbers stay floats."""
        if self.weights == FLOAT:
            return None
        state = None if self.state == FLOAT else self.state
        return Lowering(self.weights, state, self.theta, self.readout_format, self.rounding, prune=self.prune)

    @property
    def readout_bits(self) -> int:
        """Bits of one entry of the readout."""
        if self.readout_format is not None:
            return Format.parse(self.readout_format).bits
        return FLOAT_BITS if self.weights == FLOAT else READOUT_BITS

    def __str__(self) -> str:
        words = [f"{self.weights} weights"]
        if self.state != FLOAT:
            calibrated = self.calibrated_bits
            words.append(f"{self.state} state" if calibrated is None else f"{calibrated}-bit state")
        if self.theta is not None:
            words.append(f"{self.theta} theta")
        if self.rounding != "nearest":
            words.append(f"{self.rounding} rounding")
        if self.prune:
            words.append("pruned")
        readout = self.readout if self.readout_format is None else f"{self.readout_format} {self.readout}"
        return ", ".join([*words, f"{readout} readout"])


@dataclass(frozen=True)
class Candidate:
    """One network that could be the answer.

    Parameters
    ----------
    setup : Setup
        What is trained, and can serve several variants.
    variant : Variant
    """

    setup: Setup
    variant: Variant

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return self.setup.network

    @property
    def neurons(self) -> int:
        """Number of neurons that are trained."""
        return self.network.neurons

    @property
    def weights(self) -> str:
        """Format of the weights."""
        return self.variant.weights

    @property
    def readout(self) -> str:
        """Name of the readout."""
        return self.variant.readout

    def as_dict(self) -> dict[str, Any]:
        """Return size, variant and the settings that are not the default, by name."""
        settings = differences(self.setup, Setup(Network.dense(self.neurons)))
        return {"neurons": self.neurons, **asdict(self.variant), "settings": settings}

    def __str__(self) -> str:
        return f"{in_words(self.as_dict())}, {self.variant}"


def in_words(candidate: Mapping[str, Any]) -> str:
    """Return what is trained, of a candidate as `Candidate.as_dict` has it, such as "50 neurons"."""
    settings = candidate["settings"]
    words = f"{settings.get('neurons', candidate['neurons'])} neurons"
    if settings.get("field") is not None:
        (height, width), (rows, columns) = settings["field"], settings.get("cells", (1, 1))
        contrast = "" if settings.get("contrast", "off") == "off" else f" {settings['contrast']}"
        words += f" with a field of {height} x {width}{contrast}, {rows} x {columns} cells"
    words += f", pool {settings['pool']}" if "pool" in settings else ""
    further = [value for name, value in settings.items() if name != bare(name) == "neurons"]
    words = ", then ".join([words, *map(str, further)])
    return words + (", tuned by labels" if settings.get("learner") == StdpLabels.kind else "")


def _bits(name: str) -> int:
    return FLOAT_BITS if name == FLOAT else Format.parse(name).bits
