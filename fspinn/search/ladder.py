"""The ladder: candidates in the order of their memory, until one meets the accuracy.

After FSpiNN's search (sizes and widths under a memory budget), with the cost model deciding the order.
A network is trained once per size; all its formats and readouts are derived from that training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from fspinn.engines import engine_of
from fspinn.errors import ConfigError
from fspinn.evaluation import evaluate, fit_readouts
from fspinn.memmodel import Hardware, estimate, load_hardware
from fspinn.model import Network
from fspinn.prediction import respond, room_for_order
from fspinn.quant import quantize
from fspinn.readout import check_name, predict
from fspinn.search.result import SearchResult, Trial, wilson_interval
from fspinn.search.space import (
    ACCOUNTING,
    READOUTS,
    SIZES,
    WEIGHTS,
    Candidate,
    candidates,
    format_memory,
    parse_memory,
)
from fspinn.trained import Activity, Model
from fspinn.training import learn

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


def find_smallest(
    data: "Dataset",
    *,
    accuracy: float = 0.90,
    memory: str | None = None,
    hardware: str = "asic65-lp",
    network: Network | None = None,
    sizes: Sequence[int] = SIZES,
    weights: Sequence[str] = WEIGHTS,
    readouts: Sequence[str] = READOUTS,
    passes: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: bool = True,
    on_trial: Callable[[Trial], None] | None = None,
) -> SearchResult:
    """Find the network with the least memory that meets an accuracy.

    A candidate meets the accuracy if the lower end of the Wilson 95 % interval of its accuracy on the
    validation split does: a lucky draw of few images is no proof.

    Parameters
    ----------
    data : Dataset
        Learned from ``train``, chosen on ``validation``; ``test`` is used once, for the winner.
    accuracy : float, default 0.90
        Between 0 and 1.
    memory : str or None, default None
        Most memory for inference, such as ``"32 KiB"``; None is no limit.
    hardware : str, default "asic65-lp"
        Preset (or path) for energy and latency.
    network : Network, optional
        Everything but the number of neurons.
    sizes, weights, readouts : sequences
        Numbers of neurons, formats (or ``"float32"``) and readouts to choose from. Sizes above the
        number of training images are left out.
    passes, seed, threads, progress
        As for `fspinn.train`.
    on_trial : callable, optional
        Called with each `Trial` as soon as it is measured.

    Raises
    ------
    ConfigError
        If the target or the budget make no sense, there are no validation images, or the engine ``numba``
        does not run such a network.
    """
    if not 0 < accuracy < 1:
        raise ConfigError(f"accuracy: must be between 0 and 1, but got {accuracy:g}; 90 % is 0.9")
    engine_of("numba", network=network)
    if len(data.validation) == 0:
        raise ConfigError("validation: the search needs validation images to choose on; hold some out")
    if wilson_interval(len(data.validation), len(data.validation))[0] < accuracy:
        raise ConfigError(
            f"accuracy: {len(data.validation)} validation images cannot show {accuracy:g} with 95 % "
            "confidence; hold out more of them, or ask for less"
        )
    budget_bits = None if memory is None else parse_memory(memory)
    n_inputs = data.image_shape[0] * data.image_shape[1]
    small_enough = [size for size in sizes if size <= len(data.train)]
    if not (small_enough and weights and readouts):
        raise ConfigError(
            "search: there is nothing to choose from; give at least one size, format and readout, "
            f"and no more neurons than the {len(data.train)} training images"
        )
    for name in readouts:
        check_name(name)
    ladder = candidates(network or Network(), n_inputs, data.n_classes, small_enough, weights, readouts)
    bench = _Bench(
        data, network or Network(), tuple(readouts), passes, seed, threads, progress, load_hardware(hardware)
    )
    trials: list[Trial] = []
    winner, model, test = None, None, None
    for candidate in ladder:
        if budget_bits is not None and candidate.memory_bits > budget_bits:
            trial = Trial(candidate, f"needs {format_memory(candidate.memory_bits)}, more than the budget")
        elif winner is not None:
            trial = Trial(candidate, "not tried: larger than the one chosen")
        else:
            trial, measured = bench.measure(candidate, accuracy)
            if on_trial is not None:
                on_trial(trial)
            if trial.verdict == "chosen":
                winner, model = trial, measured
        trials.append(trial)
    if winner is not None and model is not None:
        test = evaluate(model, data.test, seed=seed, threads=threads)
        accuracies = {"validation_accuracy": winner.accuracy, "test_accuracy": test.accuracy}
        model = replace(model, record={**model.record, **accuracies})
    nearest = winner or max(trials, key=lambda trial: trial.accuracy or 0.0)
    return SearchResult(accuracy, budget_bits, hardware, tuple(trials), winner, nearest, model, test)


@dataclass
class _Bench:
    """Trains what is asked for, once per size, and measures it."""

    data: "Dataset"
    network: Network
    readouts: tuple[str, ...]
    passes: int | None
    seed: int
    threads: int | None
    progress: bool
    hardware: Hardware
    trained: dict[int, dict[str, Model]] = field(default_factory=dict)
    measured: dict[tuple[int, str], tuple[dict[str, int], Activity]] = field(default_factory=dict)

    def measure(self, candidate: Candidate, target: float) -> tuple[Trial, Model]:
        """Return the trial of a candidate on the validation images, and its model."""
        correct_of, activity = self._measured(candidate.neurons, candidate.weights)
        model = self._quantized(candidate.neurons, candidate.weights, candidate.readout)
        model = replace(model, activity={**model.activity, "inference": activity})
        correct, samples = correct_of[candidate.readout], len(self.data.validation)
        low, high = wilson_interval(correct, samples)
        share = correct / samples
        if low >= target:
            verdict = "chosen"
        elif share >= target:
            verdict = f"{share:.2%} is not surely {target:.2%}: it may be {low:.2%}"
        else:
            verdict = f"{share:.2%} is below {target:.2%}"
        cost = estimate(model, self.hardware)
        energy_pj = cost.energy["inference"][ACCOUNTING]["total"]
        latency_s = cost.latency["inference"][ACCOUNTING]["total"] / (self.hardware.clock.f_mhz * 1e6)
        return Trial(candidate, verdict, share, (low, high), energy_pj, latency_s), model

    def _trained(self, neurons: int) -> dict[str, Model]:
        if neurons not in self.trained:
            network = replace(self.network, neurons=neurons)
            learned = learn(
                network,
                self.data,
                passes=self.passes,
                seed=self.seed,
                progress=self.progress,
                threads=self.threads,
            )
            models = fit_readouts(learned, self.data, self.readouts, threads=self.threads)
            self.trained[neurons] = dict(zip(self.readouts, models, strict=True))
        return self.trained[neurons]

    def _quantized(self, neurons: int, weights: str, readout: str) -> Model:
        model = self._trained(neurons)[readout]
        return model if weights == "float32" else quantize(model, weights)

    def _measured(self, neurons: int, weights: str) -> tuple[dict[str, int], Activity]:
        """Return how many validation images each readout gets right; all listen to the same spikes."""
        if (neurons, weights) not in self.measured:
            models = {name: self._quantized(neurons, weights, name) for name in self.readouts}
            model = models[self.readouts[0]]
            images, labels = self.data.validation.images, self.data.validation.labels
            order = room_for_order(self.readouts, model.network, len(images))
            spike_counts, activity = respond(
                model.network,
                model.weights,
                model.theta,
                images,
                seed=self.seed,
                threads=self.threads,
                spike_order=order,
            )
            correct_of = {
                name: int(np.sum(predict(model.readout, spike_counts, order) == labels))
                for name, model in models.items()
            }
            self.measured[neurons, weights] = correct_of, activity
        return self.measured[neurons, weights]
