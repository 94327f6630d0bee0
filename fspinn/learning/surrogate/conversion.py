"""How does an ANN become a spiking network? Its activations are the rates of spikes.

The ANN has the geometry of the spiking layers, ReLUs and no biases. It sees how often each input spikes in a
time step, on average over a presentation; a readout listens to the sum of activations in each cell, and the
next layer to the highest one, where that of a spiking network sees if any position of the cell spikes. A
neuron that receives I in each time step, without leak, and loses its threshold with each spike, has the rate
``min(1, max(0, I) / threshold)``, but for what is left over at the end. As there are no biases, weights of a
layer can be multiplied at will: they are by what makes a percentile of I one weight norm (after Rueckauer et
al. 2017, doi 10.3389/fnins.2017.00682), layer by layer, on spikes of the layers below that are spiking
already. Potentials start at 0: no engine has another start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch

from fspinn.base.errors import ConfigError
from fspinn.base.progress import progress_bar
from fspinn.base.randomness import TRAINING_SPIKES
from fspinn.learning.surrogate.layers import Answered, Part, counted, passed_on, shown_to
from fspinn.learning.surrogate.runs import Output, Run, Solver
from fspinn.network.encoders import Spikes
from fspinn.network.learners import Hybrid


@dataclass(frozen=True, eq=False)
class Ann:
    """An ANN of the layers of a network.

    Parameters
    ----------
    parts : tuple of Part
    weights : list of tensor, shape (inputs, neurons)
        Of each layer.
    output : Output
    input_size : float
        What spikes in a time step are divided by.
    percentile : float or None, default None
        Of the activations, that which is taken for a rate of 1 where these have a cost; None takes 1.
    """

    parts: tuple[Part, ...]
    weights: list[Any]
    output: Output
    input_size: float
    percentile: float | None = None

    def answer(self, spikes: Spikes, masks: list[Any] | None = None) -> tuple[Any, list[Answered]]:
        """Return what a readout listens to, and the activations of each layer as rates, as in one time step.

        Parameters
        ----------
        spikes : Spikes
            Of the samples.
        masks : list of tensor, shape (samples, features), or None, default None
            What features of each layer are multiplied by.

        Returns
        -------
        sums : tensor, shape (samples, features)
            Activations of the last layer in each cell.
        in_rates : list of Answered
        """
        shown: Any = rates(self.parts, spikes)[None] / self.input_size
        in_rates: list[Answered] = []
        for part, of_part in zip(self.parts, self.weights, strict=True):
            active = shown_to(part, of_part, shown).relu()
            last = len(in_rates) + 1 == len(self.parts)
            found = Answered(counted(part, active), None if last else passed_on(part, active, active))
            if masks is not None:
                found = found.dropping(masks[len(in_rates)])
            shown = found.passed
            unit = 1.0 if self.percentile is None else _size(active, self.percentile) or 1.0
            in_rates.append(Answered(found.counts / unit, None if shown is None else shown / unit))
        return found.counts, in_rates


def rates(parts: tuple[Part, ...], spikes: Spikes) -> Any:
    """Return how often inputs spike in a time step, shape (samples, inputs)."""
    where = parts[0].geometry
    counts = spikes.counts(where.height * where.width * where.channels)
    return torch.from_numpy(counts.astype(np.float32) / np.float32(spikes.steps))


def converted(
    run: Run, progress: bool = False, on_batch: Callable[[int], None] | None = None
) -> tuple[list[Any], Output]:
    """Return weights and output of a spiking network that does what an ANN does, which is trained first."""
    return spiking(run, trained(run, progress, on_batch))


def trained(run: Run, progress: bool = False, on_batch: Callable[[int], None] | None = None) -> Ann:
    """Return an ANN that has learned the labels of a run, whose learner is a `Hybrid`."""
    learner = _hybrid(run)
    samples = rates(run.parts, run.first_spikes())
    input_size = max(float(samples.square().mean().sqrt()), 1e-9)
    weights = [
        (one * (6 / len(one)) ** 0.5).requires_grad_() for one in run.random_weights()
    ]  # He et al. 2015: activations of all layers are then of one size
    percentile = None if learner.penalty == "none" else learner.percentile
    ann = Ann(run.parts, weights, Output(run, steps=1), input_size, percentile)
    solver = Solver(run, weights, ann.output, learner.ann_passes, "ann_rate", steps=1)
    with progress_bar(f"train an ANN of {run.network.neurons} neurons", solver.total, progress) as update:
        for first, chosen in run.batches(learner.ann_passes):
            images = run.data.train.images[chosen]
            spikes = run.encoder.encode(images, run.seed, TRAINING_SPIKES, first)
            sums, in_rates = ann.answer(spikes, run.masks(first, len(chosen)))
            correct = solver.step(first, chosen, sums, in_rates)
            update(first + len(chosen), f"running accuracy {correct / len(chosen):.3f}")
            if on_batch is not None:
                on_batch(first + len(chosen))
    return ann


def spiking(run: Run, ann: Ann) -> tuple[list[Any], Output]:
    """Return weights and output of a spiking network that does what an ANN does.

    Raises
    ------
    ConfigError
        If neurons of a layer receive nothing.
    """
    percentile = _hybrid(run).percentile

    def driven(part: Part, currents: Any) -> float:
        size = _size(currents.mean(dim=0).relu(), percentile)
        if size <= 0:
            name = "ann_rate" if run.learner.penalty == "none" else "penalty_strength"
            raise ConfigError(
                f"percentile: {percentile:g} % of what neurons of layer {run.parts.index(part) + 1} receive "
                f"is nothing, and they would never spike; raise it, or lower {name}"
            )
        return size

    weights = run.sized(ann.weights, driven)
    factors = [
        float(after.detach().norm() / before.detach().norm()) / part.neurons.threshold
        for part, before, after in zip(run.parts, ann.weights, weights, strict=True)
    ]
    rate_of_activation = ann.input_size * prod(factors)
    return weights, ann.output.of_counts(run.network.steps * rate_of_activation)


def _size(activations: Any, percentile: float) -> float:
    return float(np.percentile(activations.detach().numpy(), percentile))


def _hybrid(run: Run) -> Hybrid:
    assert isinstance(run.learner, Hybrid)
    return run.learner
