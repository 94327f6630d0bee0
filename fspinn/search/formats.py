"""Which formats are the narrowest that will do? By sensitivity: one parameter at a time, then jointly.

After Q-SpiNN's and lpSpikeCon's idea that parameters differ in how many bits they need; the search is this
project's own. First every parameter is narrowed alone, all others at their widest, for as long as the
accuracy on the validation images is at most `max_loss` points below that of the float network. Then all are
as narrow as they were alone; while together they lose more, the one whose next bit helps most gets it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fspinn.answering.compress import calibrate, measuring
from fspinn.base.checks import checked_seed, number
from fspinn.base.errors import ConfigError, FormatError
from fspinn.datasets.arrays import as_dataset
from fspinn.lowering.passes import Measured
from fspinn.lowering.post_training import quantize
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT, AnyModel, Model, model_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

WEIGHT_BITS = 8
STATE_BITS = 16
READOUT_BITS = 8
"""Widest formats that are looked at (own)."""


@dataclass(frozen=True)
class Choice:
    """One format per parameter.

    Parameters
    ----------
    weights, state, theta : str
    readout : str or None
        None where the readout is one label per neuron.
    """

    weights: str
    state: str
    theta: str
    readout: str | None


@dataclass(frozen=True)
class FormatTrial:
    """What came out of one choice.

    Parameters
    ----------
    varied : str
        Which parameter was narrowed, ``"all"`` in the joint part, ``"none"`` where all are at their widest.
    choice : Choice
    bits : int or None
        Memory for inference; None where the formats cannot hold the network.
    accuracy : float or None
        On the validation images.
    lost_points : float or None
        Against the float network, in percentage points.
    """

    varied: str
    choice: Choice
    bits: int | None
    accuracy: float | None
    lost_points: float | None

    def within(self, max_loss: float) -> bool:
        """Return whether the formats hold the network and cost no more points than that."""
        return self.lost_points is not None and self.lost_points <= max_loss


@dataclass(frozen=True)
class FormatSearch:
    """The narrowest formats, and the way to them.

    Parameters
    ----------
    choice : Choice
    trials : tuple of FormatTrial
        In the order in which they were measured.
    before : Measured
        The float network.
    """

    choice: Choice
    trials: tuple[FormatTrial, ...]
    before: Measured


def find_formats(
    model: AnyModel,
    data: "Dataset",
    *,
    max_loss: float = 0.5,
    rounding: str = "nearest",
    seed: int = 0,
    threads: int | None = None,
    on_trial: Callable[[FormatTrial], None] | None = None,
) -> FormatSearch:
    """Find the narrowest formats of weights, state, theta and readout for a trained network.

    Parameters
    ----------
    model : Model
        Or a result that holds one; not quantized yet.
    data : Dataset
        Ranges come from ``train``, accuracies from ``validation``; ``test`` is not touched.
    max_loss : float, default 0.5
        Percentage points of accuracy that all formats together may cost.
    rounding : {"nearest", "truncate", "stochastic"}, default "nearest"
        Of the weights.
    seed, threads
        As for `fspinn.evaluate`.
    on_trial : callable, optional
        Called with each `FormatTrial` as soon as it is measured.

    Raises
    ------
    ConfigError
        If there are no validation images, or not even the widest formats will do.
    FormatError
        If the model is quantized already.
    """
    seed = checked_seed(seed)
    model, data = model_of(model), as_dataset(data)
    max_loss = number("max_loss", max_loss, at_least=0.0, at_most=100.0)
    if model.weight_format is not None or model.readout.format is not None:
        raise FormatError(
            f"weights: already quantized to {model.weight_format or model.readout.format}; "
            "quantize the model that training wrote, not a quantized one"
        )
    if len(data.validation) == 0:
        raise ConfigError("validation: formats are chosen on validation images; hold some out")
    ladders = _ladders(model, data, seed, threads)
    bench = _Bench(model, data, rounding, seed, threads, on_trial, [], {})
    before = bench.measure(model)
    bench.reference = before.accuracy or 0.0
    widest = dict.fromkeys(ladders, 0)
    found = bench.trial("none", _choice(ladders, widest))
    if not found.within(max_loss):
        raise ConfigError(
            f"max_loss: even the widest formats ({_in_words(found.choice)}) cost more than {max_loss:g} "
            "points; allow more"
        )
    places = {name: _narrow_alone(name, ladders, widest, bench, max_loss) for name in ladders}
    while not (found := bench.trial("all", _choice(ladders, places))).within(max_loss):
        places = _widened(places, ladders, bench, max_loss)
    return FormatSearch(found.choice, tuple(bench.trials), before)


def _ladders(model: Model, data: "Dataset", seed: int, threads: int | None) -> dict[str, list[str | None]]:
    """Return the formats of each parameter, the widest first."""
    seen = calibrate(model, data, seed=seed, threads=threads)
    fractions = range(max(STATE_BITS - seen.integer_bits, 0), -1, -1)
    readouts: list[str | None] = [f"UQ0.{bits}" for bits in range(READOUT_BITS, 0, -1)]
    if model.readout.name == BIASED_READOUT:
        readouts = [f"Q1.{bits - 1}" for bits in range(READOUT_BITS, 1, -1)]
    elif model.readout.name == LABEL_READOUT:
        readouts = [None]
    theta_bits = 1
    while abs(model.theta).max(initial=0.0) >= 2.0 ** (theta_bits - 1) - 0.5:
        theta_bits += 1
    return {
        "weights": [f"UQ0.{bits}" for bits in range(WEIGHT_BITS, 0, -1)],
        "state": [f"Q{seen.integer_bits}.{fraction}" for fraction in fractions],
        "theta": [f"Q{theta_bits}.{fraction}" for fraction in fractions],
        "readout": readouts,
    }


def _choice(ladders: dict[str, list[str | None]], places: dict[str, int]) -> Choice:
    """Return the formats at some places of the ladders; theta is never finer than the state."""
    formats = {name: ladder[places[name]] for name, ladder in ladders.items()}
    formats["theta"] = ladders["theta"][max(places["theta"], places["state"])]
    return Choice(**formats)  # type: ignore[arg-type]


def _narrow_alone(
    name: str,
    ladders: dict[str, list[str | None]],
    widest: dict[str, int],
    bench: "_Bench",
    max_loss: float,
) -> int:
    """Return the place of the narrowest format of one parameter before the first that costs too much."""
    for place in range(1, len(ladders[name])):
        found = bench.trial(name, _choice(ladders, {**widest, name: place}))
        if not found.within(max_loss):
            return place - 1
    return len(ladders[name]) - 1


def _widened(
    places: dict[str, int], ladders: dict[str, list[str | None]], bench: "_Bench", max_loss: float
) -> dict[str, int]:
    """Return the places with one parameter a bit wider: the cheapest that will do, or else the best."""
    options = []
    for name, place in places.items():
        wider = {**places, name: place - 1}
        if name == "state":  # theta gains nothing alone from being finer than the state was
            wider["theta"] = min(places["theta"], max(place - 1, 0))
        if place > 0:
            options.append((bench.trial("all", _choice(ladders, wider)), wider))
    measured = [(found, wider) for found, wider in options if found.lost_points is not None]
    enough = [(found, wider) for found, wider in measured if found.within(max_loss)]
    if enough:
        return min(enough, key=lambda option: option[0].bits or 0)[1]
    return min(measured or options, key=lambda option: option[0].lost_points or 0.0)[1]


def _in_words(choice: Choice) -> str:
    return f"weights {choice.weights}, state {choice.state}, theta {choice.theta}, readout {choice.readout}"


@dataclass
class _Bench:
    """Measures choices, each once."""

    model: Model
    data: "Dataset"
    rounding: str
    seed: int
    threads: int | None
    on_trial: Callable[[FormatTrial], None] | None
    trials: list[FormatTrial]
    known: dict[Choice, FormatTrial]
    reference: float = 0.0

    def measure(self, model: Model) -> Measured:
        return measuring(self.data, self.seed, self.threads)(model)

    def trial(self, varied: str, choice: Choice) -> FormatTrial:
        """Return what comes out of a choice."""
        if choice in self.known:
            return replace(self.known[choice], varied=varied)
        found = FormatTrial(varied, choice, None, None, None)
        try:
            quantized = quantize(
                self.model,
                choice.weights,
                self.rounding,
                choice.readout,
                choice.state,
                choice.theta,
                self.seed,
            )
        except FormatError:
            pass
        else:
            measured = self.measure(quantized)
            accuracy = measured.accuracy or 0.0
            lost = 100 * (self.reference - accuracy)
            found = FormatTrial(varied, choice, measured.bits, accuracy, lost)
        self.known[choice] = found
        self.trials.append(found)
        if self.on_trial is not None:
            self.on_trial(found)
        return found
