"""What is learned from, and in which steps? Of spiking networks and of ANNs that become one."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.randomness import (
    DROPOUT,
    INFERENCE_SPIKES,
    ORDER,
    WEIGHTS,
    permutation,
    stream_key,
    uniforms,
)
from fspinn.learning.surrogate.layers import Answered, Part, passed_on, shown_to
from fspinn.learning.surrogate.lif import lif
from fspinn.learning.surrogate.penalties import penalty_of
from fspinn.model.readout import balanced_weights
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, Spikes
from fspinn.network.learners import PENALTY_STRENGTHS, Hybrid, Surrogate
from fspinn.quant.formats import Format

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

FIRST_SAMPLES = 250
"""Samples from whose potentials the size of the first weights is found (fspinn)."""

FIRST_POTENTIAL = 1.0
"""Root mean square of the highest potential of each neuron then, without a reset, in weight norms: so that a
threshold means something beside them (fspinn)."""


@dataclass(frozen=True, eq=False)
class Run:
    """What the bits depend on."""

    network: Network
    learner: Surrogate
    data: "Dataset"
    labels: NDArray[np.int64]
    parts: tuple[Part, ...]
    known: NDArray[np.int64]
    seed: int
    encoder: BatchEncoder
    format: Format | None = None
    class_weight: str | None = None

    @property
    def passes(self) -> int:
        """How often the spiking network sees each sample."""
        return self.learner.usual_passes if self.learner.passes is None else self.learner.passes

    @property
    def strength(self) -> float:
        """Of the penalty."""
        given = self.learner.penalty_strength
        return PENALTY_STRENGTHS[self.learner.penalty] if given is None else given

    @property
    def total(self) -> int:
        """Presentations to it."""
        return self.passes * len(self.known)

    def batches(self, passes: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield the number of the first presentation of each batch, and its samples."""
        for turn in range(passes):
            order = self.known[permutation(stream_key(self.seed, ORDER, turn), len(self.known))]
            for start in range(0, len(order), self.learner.batch):
                yield turn * len(order) + start, order[start : start + self.learner.batch]

    def masks(self, first: int, samples: int) -> list[Any] | None:
        """Return what features of each layer are multiplied by, shape (samples, features), in a batch.

        None is nothing: no dropout. `first` is the number of its first presentation.
        """
        dropped = self.learner.dropout if isinstance(self.learner, Hybrid) else 0.0
        if dropped == 0:
            return None
        found = []
        for number, part in enumerate(self.parts):
            key = stream_key(self.seed, DROPOUT, first * len(self.parts) + number)
            kept = uniforms(key, samples * part.features).reshape(samples, part.features) >= dropped
            found.append(torch.from_numpy(kept.astype(np.float32) / np.float32(1 - dropped)))
        return found

    def random_weights(self) -> list[Any]:
        """Return random weights of each layer, from -1 to 1."""
        found = []
        for number, part in enumerate(self.parts):
            inputs = part.geometry.fan_in
            random = uniforms(stream_key(self.seed, WEIGHTS, number), inputs * part.count)
            found.append(torch.from_numpy((2 * random - 1).astype(np.float32).reshape(inputs, part.count)))
        return found

    def first_spikes(self) -> Spikes:
        """Return the input spikes of the samples from which the size of the first weights is found."""
        samples = self.data.train.images[self.known[:FIRST_SAMPLES]]
        return self.encoder.encode(samples, self.seed, INFERENCE_SPIKES)

    def sized(self, weights: list[Any], size_of: Callable[[Part, Any], float]) -> list[Any]:
        """Return weights for which the currents of each layer are of a size of one weight norm.

        Parameters
        ----------
        weights : list of tensor
            Of each layer.
        size_of : callable
            Returns the size of the currents of a layer, shape (steps, samples, positions, neurons).
        """
        shown: Any = self.first_spikes()
        found = []
        with torch.no_grad():
            for part, layer, of_part in zip(self.parts, self.network.layers, weights, strict=True):
                size = size_of(part, shown_to(part, of_part, shown))
                times = FIRST_POTENTIAL * (layer.neuron.weight_norm or 1.0) / max(size, 1e-9)
                found.append((of_part * times).requires_grad_())
                if len(found) < len(self.parts):
                    shown = passed_on(part, *lif(shown_to(part, found[-1], shown), part.neurons))
        return found

    def first_weights(self) -> list[Any]:
        """Return random weights, of a size with which neurons spike."""
        return self.sized(self.random_weights(), _highest)


def _highest(part: Part, currents: Any) -> float:
    """Return how high the potentials of neurons get without a reset: the root mean square of them."""
    silent = replace(part.neurons, threshold=1e30)
    return float(lif(currents, silent)[1].amax(dim=(0, 2)).square().mean().sqrt())


class Output:
    """The scores of the classes, from what the last layer did.

    Parameters
    ----------
    run : Run
    steps : int
        Time steps that its counts are sums of.
    """

    def __init__(self, run: Run, steps: int) -> None:
        last, classes = run.parts[-1], run.data.n_classes
        self.parameters: list[Any] = []
        self._scale = 1 / sqrt(steps * last.geometry.positions / last.cells)
        if run.learner.output == "membrane":
            table = uniforms(stream_key(run.seed, WEIGHTS, len(run.parts)), last.features * classes)
            size = 1 / sqrt(last.features)
            table = torch.from_numpy((size * (2 * table - 1)).astype(np.float32).reshape(-1, classes))
            self.parameters = [table.requires_grad_(), torch.zeros(classes, requires_grad=True)]
            return
        if last.count % classes:
            raise ConfigError(
                f"output: of {last.count} neurons in the last layer each speaks for one of {classes} "
                f"classes; give it a multiple of {classes} neurons, or set output = membrane"
            )
        speaks = np.arange(last.features) % last.count % classes
        self._mean = torch.from_numpy((speaks[:, None] == np.arange(classes)).astype(np.float32))
        self._mean /= self._mean.sum(dim=0)

    def scores(self, counts: Any) -> Any:
        """Return those of a batch, shape (samples, classes)."""
        if not self.parameters:
            return counts @ self._mean
        table, bias = self.parameters
        return (counts * self._scale) @ table + bias

    def of_counts(self, times: float) -> "Output":
        """Return what gives the same scores for counts that are so many times as large."""
        other = copy(self)
        other._scale = self._scale / times
        if not self.parameters:
            other._mean = self._mean / times
        other.parameters = [one.detach().clone().requires_grad_() for one in self.parameters]
        return other


def penalty(run: Run, answers: list[Answered], steps: int) -> Any:
    """Return what the activity of a batch costs, of counts in so many time steps."""
    kind, last = run.learner.penalty, run.parts[-1]
    rates = [one.counts / (steps * part.positions_of) for one, part in zip(answers, run.parts, strict=True)]
    if kind == "synops":  # of spikes that are passed on, one of a cell in a step, and of the readout's table
        rates = [*(one.passed.mean(dim=0) for one in answers[:-1]), rates[-1]]
    fan_outs = [torch.from_numpy(part.seen_by * part.count) for part in run.parts[1:]]
    return penalty_of(kind, rates, [*fan_outs, last.positions_of * run.data.n_classes])


class Solver:
    """Makes cross entropy and penalty small, in steps (Adam) whose size falls to 0.

    Parameters
    ----------
    run : Run
    weights : list of tensor
        Of the layers.
    output : Output
    passes : int
    rate : str
        The setting of the learner that says how large a step is at the start.
    steps : int
        Time steps that counts are sums of.
    """

    def __init__(
        self, run: Run, weights: list[Any], output: Output, passes: int, rate: str, steps: int
    ) -> None:
        self.total = passes * len(run.known)
        self._run, self._weights, self._output, self._rate, self._steps = run, weights, output, rate, steps
        self._largest = getattr(run.learner, rate)
        self._solver = torch.optim.Adam([*weights, *output.parameters], lr=self._largest, fused=True)
        self._labels = torch.from_numpy(run.labels.astype(np.int64))
        self._of_class = torch.ones(run.data.n_classes)
        if run.class_weight is not None:
            present = np.unique(run.labels[run.known])
            balanced = balanced_weights(run.labels[run.known], present)
            self._of_class[present] = torch.from_numpy(balanced).float()

    def step(self, first: int, chosen: NDArray[np.int64], counts: Any, answers: list[Answered]) -> int:
        """Take a step, and return how many samples had been answered correctly.

        Parameters
        ----------
        first : int
            Presentations before these.
        chosen : ndarray of int64, shape (samples,)
        counts : tensor, shape (samples, features)
            What the scores are of.
        answers : list of Answered
            What there is a penalty on, of each layer.
        """
        scores, meant = self._output.scores(counts), self._labels[chosen]
        loss = torch.nn.functional.cross_entropy(scores, meant, self._of_class)
        if self._run.learner.penalty != "none":
            loss = loss + self._run.strength * penalty(self._run, answers, self._steps)
        for group in self._solver.param_groups:
            group["lr"] = self._largest * (1 - first / self.total)
        self._solver.zero_grad()
        loss.backward()
        self._solver.step()
        self._check(float(loss.detach()), first + len(chosen))
        return int((scores.detach().argmax(dim=1) == meant).sum())

    def _check(self, loss: float, done: int) -> None:
        """Refuse to go on with numbers that are none; weights are looked at now and then."""
        fine = np.isfinite(loss)
        if fine and done % len(self._run.known) == 0:
            fine = all(bool(torch.isfinite(one).all()) for one in self._weights)
        if not fine:
            raise ConfigError(
                f"{self._rate}: training diverged after {done} presentations (the loss is {loss:g}); lower "
                f"it, it is {self._largest:g}"
            )
