"""Show images again until the neurons answer: one run of Brian2 for each showing."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.engines.brian2_definition import Definition
from fspinn.engines.brian2_simulation import Recorded, brian2_for, build, recorded, values_of

Spikes = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Step and input of each spike of an image."""

Showing = Callable[[int, int], Spikes | None]
"""Returns what to show for the number of a presentation and how often that was repeated.

None, if it cannot be any brighter.
"""


def simulate_until_heard(
    definition: Definition,
    weights: NDArray[Any],
    theta: NDArray[Any],
    showing: Showing,
    presentations: int,
    least_spikes: int,
    heard_steps: int,
    per_presentation: Mapping[str, NDArray[np.float64]],
    target: str,
) -> Recorded:
    """Run presentations one after the other, each until it has so many output spikes.

    Parameters
    ----------
    showing : callable
        See `Showing`.
    least_spikes, heard_steps : int
        How many output spikes are enough, and in how many of the first steps.
    definition, weights, theta, presentations, per_presentation, target
        As for `brian2_simulation.simulate`, but for the target ``"cpp_standalone"``.

    Returns
    -------
    Recorded
        Its `run_s` includes what Brian2 prepares, and at first compiles, before each showing.
    """
    import brian2

    started = time.perf_counter()
    dt = definition.dt_ms * brian2.ms
    shown: list[int] = []
    inputs_in_step = [np.zeros(0, dtype=np.int64)]
    with brian2_for(target):
        names = values_of(definition, {})
        network = build(definition, np.zeros(0, dtype=np.int32), np.zeros(0) * dt, names)
        network["neurons"].theta = theta
        network["weights"].w = np.array(weights, dtype=np.float64).reshape(-1)
        build_s, run_started = time.perf_counter() - started, time.process_time()
        for presentation in range(presentations):
            now = {name: values[[presentation]] for name, values in per_presentation.items()}
            names.update(values_of(definition, now))
            spikes, repeated = showing(presentation, 0), 0
            while spikes is not None:
                steps, inputs = spikes
                before = int(network["output_spikes"].num_spikes)
                first_step = len(shown) * definition.steps
                network["images"].set_spikes(inputs, (first_step + steps) * dt, sorted=True)
                network.run(definition.steps * dt, namespace={})
                shown.append(presentation)
                inputs_in_step.append(np.bincount(steps, minlength=definition.steps))
                spike_steps = np.rint(np.asarray(network["output_spikes"].t[before:] / dt)) - first_step
                if np.count_nonzero(spike_steps < heard_steps) >= least_spikes:
                    break
                repeated += 1
                spikes = showing(presentation, repeated)
        run_s = time.process_time() - run_started
        counts = np.concatenate(inputs_in_step)
        return recorded(definition, network, np.array(shown, dtype=np.int64), counts, build_s, run_s)
