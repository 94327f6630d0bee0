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

from fspinn.base.amounts import memory_text
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.settings import settings_of, with_settings
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.integers import WHOLE, lost_part
from fspinn.model.model import Model

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
        return f"{self.name:<9} {self.change}; saves {memory_text(self.saved_bits)}{cost}"


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

    The `tau_m_ms` of each layer becomes the time constant for which that is the leak, with the k that is
    nearest to it.
    """
    network, layers, changes = model.network, [], []
    for number, layer in enumerate(network.layers, 1):
        tau_m_ms = layer.neuron.tau_m_ms
        lost = 0 if tau_m_ms is None else lost_part(network.dt_ms / tau_m_ms, WHOLE)
        if tau_m_ms is not None and 0 < lost < WHOLE:
            k = min(max(round(np.log2(WHOLE / lost)), 1), 16)
            nearest = -network.dt_ms / log1p(-(2.0**-k))
            layer = replace(layer, neuron=replace(layer.neuron, tau_m_ms=nearest))
            where = f" of layer {number}" if len(network.layers) > 1 else ""
            changes.append(f"leak{where} is v -= v >> {k}, tau_m_ms {tau_m_ms:g} -> {nearest:.4g}")
        layers.append(layer)
    if not changes:
        return model, "nothing or everything leaks: there is nothing to shift"
    shifted = replace(network, layers=tuple(layers))
    return replace(model, network=shifted, record=unmeasured(model)), "; ".join(changes)


def drop_pixels(model: Model) -> tuple[Model, str]:
    """Drop input pixels whose weights are all zero: not one answer changes.

    Raises
    ------
    FormatError
        If the model does not compute with integers: other weights are hardly ever zero.
    """
    if model.network.layers[0].field is not None:
        return model, "all inputs of a field are kept"
    layer = model.layers[0]
    if layer.formats is None:
        raise FormatError("prune: only a network in integers has weights that are all zero; give state too")
    after = replace(layer, input_mask=(layer.weights.numbers != 0).any(axis=1))
    return replace(model, layers=(after, *model.layers[1:])), (
        f"{layer.inputs_used} -> {after.inputs_used} pixels: the weights of the others are all zero"
    )


def drop_neurons(model: Model, spiked: NDArray[np.bool_]) -> tuple[Model, str]:
    """Drop neurons that never spike: not one answer to the images that were looked at changes.

    Parameters
    ----------
    model : Model
    spiked : ndarray of bool, shape (n_neurons,)
        Whether each neuron of the last layer spiked for any of those images.
    """
    kept = np.flatnonzero(spiked)
    *below, last = model.network.layers
    neurons = last.neurons
    if len(kept) == neurons:
        return model, f"{neurons} neurons: all of them spike"
    if len(kept) == 0:
        raise ConfigError("prune: no neuron ever spiked; lower the threshold, or train the network again")
    table, of_features = np.split(model.readout.table, [model.network.features])
    table = table.reshape(-1, neurons, model.readout.n_classes)[:, kept].reshape(-1, model.readout.n_classes)
    after = replace(
        model,
        network=replace(model.network, layers=(*below, replace(last, neurons=len(kept)))),
        layers=(*model.layers[:-1], model.layers[-1].keeping(kept)),
        readout=replace(model.readout, table=np.concatenate([table, of_features])),
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
    start = settings_of(model.network.answering)
    threshold_before, strength_before = start["threshold"], start.get("inhibition_strength", 0.0)
    best, most = model, accuracy(model)
    for threshold in (_three_digits(threshold_before * factor) for factor in THRESHOLDS):
        best, most = _better(best, most, {"answer_threshold": threshold}, accuracy)
    for inhibition in (_three_digits(strength_before * factor) for factor in INHIBITIONS):
        if inhibition > 0 and (start["inhibition_of"] == "threshold" or inhibition <= 1):
            best, most = _better(best, most, {"answer_inhibition": inhibition}, accuracy)
    end = settings_of(best.network.answering)
    changed = [f"threshold {threshold_before:g} -> {end['threshold']:g}"]
    if strength_before > 0:
        changed.append(f"inhibition {strength_before:g} -> {end['inhibition_strength']:g}")
    return best, ", ".join(changed)


def _better(
    model: Model, most: float, settings: Mapping[str, float], accuracy: Callable[[Model], float]
) -> tuple[Model, float]:
    """Return the model with other settings and its accuracy, if that is above `most`; else the model."""
    network, layer = with_settings(model.network, settings), model.layer
    candidate = replace(model, network=network, record=unmeasured(model))
    if network.answering.layers[0].neuron.firing_threshold + float(layer.theta.values.min()) <= 0:
        return model, most  # some neuron would spike without input
    if layer.formats is not None:
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
