"""Memory that kernels write answers to, and the response that it becomes."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.protocol import Response
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.activity import Activity
from fspinn.network.inhibition import most_spikes

ROOM = 2**24
"""Output spikes of samples that a kernel presents in one call: only what is written takes memory."""

Record: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
"""Step, neuron and position of each output spike."""


def blank_answers(layer: LayerPlan, n: int, steps: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return counts of spikes, and the step of each feature's first: none so far."""
    counts = np.zeros((n, layer.features), dtype=np.int32)
    return counts, np.full_like(counts, steps)


def rooms(plan: Plan, layer: LayerPlan, n: int, positions: int) -> Iterator[tuple[slice, Record]]:
    """Yield samples that are presented in one call, and room for all output spikes that they can have."""
    most = positions * most_spikes(layer.inhibition, plan.steps_of(layer), layer.answer_steps)
    if layer.inhibition == "none":
        most *= layer.neurons
    together = max(ROOM // most, 1)
    for start in range(0, max(n, 1), together):
        size = min(together, n - start) * most
        yield (
            slice(start, start + together),
            (np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)),
        )


def response_of(
    answers: tuple[NDArray[np.int32], NDArray[np.int32]],
    of_parts: Sequence[Record],
    activity: Activity,
    span: Range,
    course: NDArray[Any] | None = None,
) -> Response:
    """Return the response to samples that were presented in parts."""
    steps, neurons, positions = (np.concatenate(parts) for parts in zip(*of_parts, strict=True))
    return Response(answers[0], steps, neurons, positions, answers[1], (activity,), span, course)
