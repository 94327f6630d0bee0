"""From a trained network to one that an embedded accelerator can run: passes, one after the other.

A pass takes a model and returns another one, and in one line what it changed; its input stays as it was.
`chain` runs several and says of each what it saved and what it cost. What a model costs and how good it is
the caller measures: this folder runs no network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import log1p

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, FormatError
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.integers import WHOLE, lost_part
from fspinn.model.model import Model
from fspinn.network.description import Network

Pass = Callable[[Model], tuple[Model, str]]

THRESHOLDS = (0.7, 0.8, 0.9, 1.1, 1.25)
"""What `retune` multiplies the threshold by (fspinn)."""

INHIBITIONS = (0.5, 0.7, 0.85, 1.2, 1.4)
"""What `retune` multiplies the inhibition by (fspinn)."""


@dataclass(frozen=True)
class Measured:
    """What a model takes and what it can.

    Parameters
    ----------
    bits : int
        Memory for inference.
    accuracy : float or None
        On images held out for validation; None where nobody looked.
    """

    bits: int
    accuracy: float | None


@dataclass(frozen=True)
class Report:
    """What a pass did.

    Parameters
    ----------
    name : str
    change : str
        What it changed, in one line.
    before, after : Measured
    """

    name: str
    change: str
    before: Measured
    after: Measured

    @property
    def saved_bits(self) -> int:
        """How much less memory the model takes."""
        return self.before.bits - self.after.bits

    @property
    def lost_points(self) -> float | None:
        """What the pass cost in accuracy, in percentage points."""
        if self.before.accuracy is None or self.after.accuracy is None:
            return None
        return 100 * (self.before.accuracy - self.after.accuracy)

    def __str__(self) -> str:
        cost = "" if self.lost_points is None else f"; {in_words(self.lost_points)}"
        return f"{self.name:<9} {self.change}; saves {self.saved_bits / 8192:.1f} KiB{cost}"


def in_words(lost_points: float) -> str:
    """Return what something cost in accuracy, for a person."""
    return f"{'loses' if lost_points >= 0 else 'gains'} {abs(lost_points):.2f} points"


def chain(
    model: Model,
    passes: Mapping[str, Pass],
    measure: Callable[[Model], Measured],
    on_report: Callable[[Report], None] | None = None,
) -> tuple[Model, list[Report]]:
    """Run passes one after the other.

    Parameters
    ----------
    model : Model
        Left untouched.
    passes : mapping of str to callable
        By name, in their order.
    measure : callable
        Returns what a model takes and can; called once more than there are passes.
    on_report : callable, optional
        Called with each report as soon as it is there.

    Returns
    -------
    model : Model
    reports : list of Report
    """
    before = measure(model)
    reports = []
    for name, run in passes.items():
        model, change = run(model)
        after = measure(model)
        reports.append(Report(name, change, before, after))
        before = after
        if on_report is not None:
            on_report(reports[-1])
    return model, reports


def shift_leak(model: Model) -> tuple[Model, str]:
    """Replace the exponential leak by a shift and a subtraction: ``v -= v >> k``.

    `tau_m_ms` becomes the time constant for which that is the leak, with the k that is nearest to it.
    """
    network = model.network
    lost = lost_part(network.dt_ms / network.tau_m_ms, WHOLE)
    if lost == 0 or lost == WHOLE:
        return model, "nothing or everything leaks: there is nothing to shift"
    k = min(max(round(np.log2(WHOLE / lost)), 1), 16)
    tau_m_ms = -network.dt_ms / log1p(-(2.0**-k))
    after = replace(model, network=replace(network, tau_m_ms=tau_m_ms), record=unmeasured(model))
    return after, f"leak is v -= v >> {k}, tau_m_ms {network.tau_m_ms:g} -> {tau_m_ms:.4g}"


def drop_pixels(model: Model) -> tuple[Model, str]:
    """Drop input pixels whose weights are all zero: not one answer changes.

    Raises
    ------
    FormatError
        If the model does not compute with integers: other weights are hardly ever zero.
    """
    if model.formats is None:
        raise FormatError("prune: only a network in integers has weights that are all zero; give state too")
    heard = (model.weights != 0).any(axis=1)
    before = model.n_inputs
    after = replace(model, heard=heard)
    return after, f"{before} -> {after.n_inputs} pixels: the weights of the others are all zero"


def drop_neurons(model: Model, spiked: NDArray[np.bool_]) -> tuple[Model, str]:
    """Drop neurons that never spike: not one answer to the images that were looked at changes.

    Parameters
    ----------
    model : Model
    spiked : ndarray of bool, shape (n_neurons,)
        Whether each neuron spiked for any of those images.
    """
    kept = np.flatnonzero(spiked)
    neurons = model.network.neurons
    if len(kept) == neurons:
        return model, f"{neurons} neurons: all of them spike"
    if len(kept) == 0:
        raise ConfigError("prune: no neuron ever spiked; lower the threshold, or train the network again")
    after = replace(
        model,
        network=replace(model.network, neurons=len(kept)),
        weights=np.ascontiguousarray(model.weights[:, kept]),
        theta=model.theta[kept],
        readout=replace(model.readout, table=model.readout.table[kept]),
    )
    return after, f"{neurons} -> {len(kept)} neurons: the others never spiked"


def retune(model: Model, accuracy: Callable[[Model], float]) -> tuple[Model, str]:
    """Choose threshold and inhibition of a quantized network again, one after the other.

    Parameters
    ----------
    model : Model
    accuracy : callable
        What to choose by; called about ten times.
    """
    start = model.network.answering
    best, most = model, accuracy(model)
    for threshold in (_three_digits(start.threshold * factor) for factor in THRESHOLDS):
        best, most = _better(best, most, replace(best.network, answer_threshold=threshold), accuracy)
    for inhibition in (_three_digits(start.inhibition * factor) for factor in INHIBITIONS):
        if model.network.inhibition_of == "threshold" or inhibition <= 1:
            best, most = _better(best, most, replace(best.network, answer_inhibition=inhibition), accuracy)
    end = best.network.answering
    return best, (
        f"threshold {start.threshold:g} -> {end.threshold:g}, "
        f"inhibition {start.inhibition:g} -> {end.inhibition:g}"
    )


def _better(
    model: Model, most: float, network: Network, accuracy: Callable[[Model], float]
) -> tuple[Model, float]:
    """Return the model with another network and its accuracy, if that is above `most`; else the model."""
    candidate = replace(model, network=network, record=unmeasured(model))
    if network.answering.firing_threshold + float(model.theta.min()) <= 0:
        return model, most  # some neuron would spike without input
    if candidate.formats is not None:
        try:
            plan_of(candidate)
        except FormatError:  # the state cannot hold such a threshold
            return model, most
    found = accuracy(candidate)
    return (candidate, found) if found > most else (model, most)


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def unmeasured(model: Model) -> dict[str, object]:
    """Return the record of a model without what was measured before its numbers changed."""
    return {
        name: value for name, value in model.record.items() if "accuracy" not in name and name != "metrics"
    }
