"""What did a simulation of Brian2 do? What happened is counted."""

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.inhibition import inhibition_of, weights_read
from fspinn.backends.brian2.simulation import Recorded
from fspinn.lowering.plan import LearningPlan, Plan
from fspinn.model.activity import Activity


def activity_of(plan: Plan, recorded: Recorded) -> Activity:
    """Count what happened, but for samples: input spikes, output spikes and the events that write weights."""
    (layer,) = plan.layers
    output_spikes, shown_steps = len(recorded.spike_steps), plan.steps_of(layer)
    inputs_in_step = recorded.inputs_in_step.reshape(-1, shown_steps)
    presentations, computed = len(inputs_in_step), computed_steps(plan, recorded)
    steps, seen = int(computed.sum()), np.arange(shown_steps) < computed[:, None]
    input_spikes = int(inputs_in_step[seen].sum())
    single = weights_read(plan, recorded)
    rows_read = input_spikes - single
    return Activity(
        steps=steps,
        active_steps=int(np.count_nonzero(inputs_in_step * seen)),
        positions=presentations,
        input_spikes=input_spikes,
        output_spikes=output_spikes,
        synaptic_additions=rows_read * layer.neurons + single,
        neuron_updates=steps * layer.neurons * inhibition_of(layer).populations,
        rows_read=rows_read,
        weights_read=single,
    ) + (
        Activity()
        if layer.learning is None
        else _learned(plan, layer.learning, recorded, computed, input_spikes)
    )


def computed_steps(plan: Plan, recorded: Recorded) -> NDArray[np.int64]:
    """Return the time steps of each presentation until it ended."""
    (layer,) = plan.layers
    shown_steps = plan.steps_of(layer)
    computed = np.full(len(recorded.inputs_in_step) // shown_steps, shown_steps)
    if layer.inhibition == "first":
        shown, step = np.divmod(recorded.spike_steps, plan.steps)
        computed[shown] = step + 1
    return computed


def _learned(
    plan: Plan,
    learning: LearningPlan,
    recorded: Recorded,
    computed: NDArray[np.int64],
    input_spikes: int,
) -> Activity:
    """Count what learning did."""
    presentations, output_spikes = len(computed), len(recorded.spike_steps)
    windows_each = -(-plan.steps // learning.window_steps)
    shown, step = np.divmod(recorded.spike_steps, plan.steps_of(plan.layers[0]))
    window = np.minimum(step, plan.steps - 1) // learning.window_steps
    led = len(np.unique(shown * windows_each + window))
    falls = recorded.events["falls"] // plan.layers[0].neurons
    passes = {"balanced": led + falls, "decaying": presentations, "homeostatic": falls, "off": 0}
    at_spikes = output_spikes if learning.rule in ("pair", "postonly") else 0
    return Activity(
        columns_written=recorded.events["leads"] + at_spikes,
        rows_written=recorded.events["depresses"] + (input_spikes if learning.rule == "pair" else 0),
        windows=int((-(-np.minimum(computed, plan.steps) // learning.window_steps)).sum()),
        threshold_passes=passes[learning.adaptation],
        thresholds_written=output_spikes if learning.adaptation in ("decaying", "homeostatic") else 0,
        normalisations=presentations * (learning.normalisation != "off"),
        decays=presentations * (learning.weight_decay > 0),
    )
