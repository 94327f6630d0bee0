"""What does a small quantized ANN on the pixels reach? A hidden layer of ReLUs, learned with its rounding.

``hidden = max(pixels @ W + b, 0)``, rounded to 8 bits, and ``scores = hidden @ V + c``, with signed weights
``W`` and ``V`` in whole numbers of a step for each layer, and biases of as many bits as are counted. The
solver (Adam) rounds all of these before every step, and takes its gradient as if they had not been (the
straight-through estimator: Bengio, Léonard and Courville 2013, arXiv:1308.3432).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.base.randomness import ANN_WEIGHTS, stream_key, uniforms
from fspinn.memmodel import Hardware
from fspinn.model.adam import Adam, Floats
from fspinn.model.model import bias_bits
from fspinn.model.readout import quiet_fit
from fspinn.search.baselines import Baseline, Samples, Weights, baseline_of, batches, whole_steps
from fspinn.search.metrics import metric_of

HIDDEN = (8, 16, 32, 64, 128)
"""Neurons of the hidden layer, one after the other until they are enough."""

WEIGHT_BITS = (4, 8)
"""Bits of the weights of both layers; of more than `MOST_FINE` neurons the least alone, as twice the neurons
are worth more than twice the bits."""

MOST_FINE = 32

LEVELS = 255
"""Steps of 8 bits, from 0 to the largest output of a hidden neuron."""

BATCH = 100
"""Images that a step of the solver looks at, at most (fspinn)."""

PASSES, LEAST_STEPS, MOST_STEPS = 80, 300, 5000
"""How often it sees all images, within so many steps: ten times those of MNIST (fspinn)."""

RATE = 0.005
"""Of its first steps (fspinn)."""

LEAK = np.float32(0.1)
"""Slope of a neuron at 0 for the solver, so that none stays there for good (fspinn)."""


class _Ann(NamedTuple):
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats


def perceptrons(
    samples: Samples,
    hidden: Sequence[int] = HIDDEN,
    weight_bits: Sequence[int] = WEIGHT_BITS,
    *,
    class_weight: str | None = None,
    metric: str = "accuracy",
    seed: int = 0,
    hardware: Hardware | None = None,
) -> list[Baseline]:
    """Learn ANNs with such hidden layers and such weights, and measure each.

    Further parameters are those of `fspinn.search.linear.linear_classifiers`.
    """
    classes = np.unique(samples.labels)
    lit: NDArray[np.bool_] = np.asarray(samples.pixels.any(axis=0))
    found = []
    for neurons in hidden:
        for bits in weight_bits:
            ann = _learned(samples, classes, neurons, bits, class_weight, seed)
            ann = ann._replace(hidden=ann.hidden * lit[:, None])  # what is always black says nothing
            step = max(_outputs(ann, samples.pixels).max() / LEVELS, np.float32(1e-12))
            between = np.clip(np.rint(_outputs(ann, samples.shown) / step), 0, LEVELS) * step
            answers = classes[(between @ ann.output + ann.output_bias).argmax(axis=1)]
            layers = [Weights(ann.hidden, samples.shown), Weights(ann.output, between)]
            found.append(baseline_of(layers, bits, answers, samples, metric, hardware))
    return found


def wide_enough(
    samples: Samples, target: float, confidence: float, most_bits: float, *, metric: str, **how: Any
) -> list[Baseline]:
    """Learn ANNs of more and more neurons, until one is proven to reach a target or `HIDDEN` ends.

    None is learned that would take more memory than `most_bits`. `how` are further parameters of
    `perceptrons`.
    """
    found: list[Baseline] = []
    for neurons in HIDDEN:
        bits = WEIGHT_BITS if neurons <= MOST_FINE else WEIGHT_BITS[:1]
        several = perceptrons(samples, (neurons,), bits, metric=metric, **how)
        found += several
        proven = [metric_of(metric).proven(np.array(one.confusion), confidence) for one in several]
        if max(proven) >= target or 2 * several[0].memory_bits > most_bits:
            break
    return found


def passes_over(images: int) -> float:
    """Return how often the solver sees so many images."""
    return _steps(images) * min(BATCH, images) / images


def _steps(images: int) -> int:
    return min(max(PASSES * (images // min(BATCH, images)), LEAST_STEPS), MOST_STEPS)


def _outputs(ann: _Ann, pixels: Floats) -> Floats:
    outputs: Floats = np.maximum(pixels @ ann.hidden + ann.hidden_bias, 0)
    return outputs


def _learned(
    samples: Samples,
    classes: NDArray[np.int64],
    neurons: int,
    bits: int,
    class_weight: str | None,
    seed: int,
) -> _Ann:
    from scipy.special import softmax

    images, inputs = samples.pixels.shape
    steps = _steps(images)
    start = _start(inputs, neurons, len(classes), seed)
    solved = [Adam(numbers, RATE, steps) for numbers in start]
    with quiet_fit():
        for number, pixels, targets, counts in batches(samples, classes, class_weight, BATCH, steps, seed):
            ann = _rounded(solved, bits)
            between = _outputs(ann, pixels)
            missed = counts * (softmax(between @ ann.output + ann.output_bias, axis=1) - targets)
            back = (missed @ ann.output.T) * np.where(between > 0, np.float32(1), LEAK)
            slopes = (pixels.T @ back, back.sum(axis=0), between.T @ missed, missed.sum(axis=0))
            for numbers, slope in zip(solved, slopes, strict=True):
                numbers.step(number, slope)
    return _rounded(solved, bits)


def _start(inputs: int, neurons: int, n_classes: int, seed: int) -> _Ann:
    """Return where the solver starts: weights drawn as He et al. (2015, arXiv:1502.01852) do, biases of 0."""

    def drawn(layer: int, rows: int, columns: int) -> Floats:
        parts = uniforms(stream_key(seed, ANN_WEIGHTS, layer), rows * columns).reshape(rows, columns)
        weights: Floats = ((2 * parts - 1) * (6 / rows) ** 0.5).astype(np.float32)
        return weights

    biases = [np.zeros(count, np.float32) for count in (neurons, n_classes)]
    return _Ann(drawn(0, inputs, neurons), biases[0], drawn(1, neurons, n_classes), biases[1])


def _rounded(solved: Sequence[Adam], bits: int) -> _Ann:
    """Return an ANN with weights and biases of few bits."""
    widths = (bits, bias_bits(bits), bits, bias_bits(bits))
    return _Ann(*(whole_steps(one.value, width) for one, width in zip(solved, widths, strict=True)))
