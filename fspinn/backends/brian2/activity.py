"""What did a simulation of Brian2 do? What happened is counted."""

import numpy as np

from fspinn.backends.brian2.inhibition import inhibition_of, weights_read
from fspinn.backends.brian2.simulation import Recorded
from fspinn.lowering.plan import LearningPlan, Plan
from fspinn.model.activity import Activity


def activity_of(plan: Plan, recorded: Recorded) -> Activity:
    """Count what happened: input spikes, output spikes and the events that write weights."""
    (layer,) = plan.layers
    steps, output_spikes = len(recorded.inputs_in_step), len(recorded.spike_steps)
    samples = steps // plan.steps
    input_spikes = int(recorded.inputs_in_step.sum())
    single = weights_read(plan, recorded)
    rows_read = input_spikes - single
    return Activity(
        samples=samples,
        steps=steps,
        positions=samples,
        input_spikes=input_spikes,
        output_spikes=output_spikes,
        synaptic_additions=rows_read * layer.neurons + single,
        neuron_updates=steps * layer.neurons * inhibition_of(layer).populations,
        rows_read=rows_read,
        weights_read=single,
    ) + (
        Activity()
        if layer.learning is None
        else _learned(plan, layer.learning, recorded, samples, input_spikes, output_spikes)
    )


def _learned(
    plan: Plan,
    learning: LearningPlan,
    recorded: Recorded,
    samples: int,
    input_spikes: int,
    output_spikes: int,
) -> Activity:
    """Count what learning did."""
    windows_each = -(-plan.steps // learning.window_steps)
    shown, step = np.divmod(recorded.spike_steps, plan.steps)
    led = len(np.unique(shown * windows_each + step // learning.window_steps))
    falls = recorded.events["falls"] // plan.layers[0].neurons
    passes = {"balanced": led + falls, "decaying": samples, "off": 0}
    at_spikes = output_spikes if learning.rule in ("pair", "postonly") else 0
    return Activity(
        columns_written=recorded.events["leads"] + at_spikes,
        rows_written=recorded.events["depresses"] + (input_spikes if learning.rule == "pair" else 0),
        windows=samples * windows_each,
        threshold_passes=passes[learning.adaptation],
        thresholds_written=output_spikes if learning.adaptation == "decaying" else 0,
        normalisations=samples * (learning.normalisation != "off"),
        decays=samples * (learning.weight_decay > 0),
    )
