"""What did a simulation of Brian2 do? What happened is counted."""

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.simulation import Recorded
from fspinn.model.model import Activity
from fspinn.network.description import Network


def activity_of(network: Network, recorded: Recorded, *, learning: bool) -> Activity:
    """Count what happened: input spikes, output spikes and the events that write weights."""
    n_inputs, neurons = recorded.weights.shape
    all_steps, output_spikes = len(recorded.inputs_in_step), len(recorded.spike_steps)
    presentations = all_steps // network.steps
    input_spikes = int(recorded.inputs_in_step.sum())
    additions = int((recorded.inputs_in_step * _integrating(network, recorded)).sum())
    windows = writes = thresholds = passes = 0
    if learning:
        windows_each = -(-network.steps // network.window_steps)
        windows = presentations * windows_each
        shown, step = np.divmod(recorded.spike_steps, network.steps)
        led = len(np.unique(shown * windows_each + step // network.window_steps))
        writes = n_inputs * recorded.events["leads"] + neurons * recorded.events["depresses"]
        if network.rule == "pair":
            writes += input_spikes * neurons
        if network.rule in ("pair", "postonly"):
            writes += output_spikes * n_inputs
        if network.adaptation == "balanced":
            thresholds = neurons * led + recorded.events["falls"]
        if network.adaptation == "decaying":
            thresholds = output_spikes + neurons * presentations
        passes = (network.weight_decay > 0) + (network.normalisation != "off")
    return Activity(
        samples=presentations,
        steps=all_steps,
        input_spikes=input_spikes,
        output_spikes=output_spikes,
        synaptic_additions=additions,
        neuron_updates=all_steps * neurons * (2 if network.inhibition_kind == "layer" else 1),
        weight_reads=additions + writes,
        weight_writes=writes,
        threshold_updates=thresholds,
        windows=windows,
        normalisations=presentations * passes * n_inputs * neurons,
    )


def _integrating(network: Network, recorded: Recorded) -> NDArray[np.int64]:
    """Return how many neurons add up the input of each step: one while all others are clamped."""
    integrating = np.full(len(recorded.inputs_in_step), network.neurons)
    if network.inhibition_kind == "clamp":
        for step in recorded.spike_steps:
            end_of_image = (step // network.steps + 1) * network.steps
            integrating[step + 1 : min(step + 1 + network.inhibition_steps, end_of_image)] = 1
    return integrating
