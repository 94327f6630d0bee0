"""Each kind of inhibition as code of Brian2: its variables, what it does in each phase, what is counted."""

from dataclasses import dataclass

import numpy as np

from fspinn.backends.brian2.definition import Action, Event, Part, Pathway
from fspinn.backends.brian2.simulation import Recorded
from fspinn.lowering.plan import LayerPlan, Plan


@dataclass(frozen=True)
class Inhibition:
    """What a kind adds: variables, code of the phases, and populations of neurons that a step updates."""

    neurons: str = ""  # variables
    referee: str = ""  # variables
    forgets: str = ""  # phase 1, the referee
    in_layer: tuple[Part, ...] = ()  # phase 2
    input_factor: str = ""  # phase 3, of a weight
    spikes: str = ""  # phase 5, the neuron that spiked
    inhibited: str = ""  # phase 5, all others
    rests: str = ""  # at the end of a presentation, all neurons
    populations: int = 1


def inhibition_of(layer: LayerPlan) -> Inhibition:
    """Return what the inhibition of a layer adds."""
    drop = "v -= drop_part*v" if layer.drop_part else "v -= drop"
    excited = "excited_for == step and step > 0 and step >= partner_ready_at"
    ready = "partner_ready_at = step + 1 + inhibition_steps"
    kinds = {
        "lateral": Inhibition(inhibited=drop),
        "clamp": Inhibition(
            neurons="free_at : integer  # step from which on it integrates again\n"
            "clamped = step < free_at : boolean",
            input_factor="*int(not clamped_post)",
            spikes="free_at = 0",
            inhibited="v = 0\nfree_at = step + 1 + inhibition_steps",
            rests="free_at = 0",
        ),
        "layer": Inhibition(
            neurons="excited_for : integer  # step in which its inhibitory partner may spike\n"
            "partner_ready_at : integer  # step from which on the partner may spike again\n"
            "partner : integer (linked)  # of the referee",
            referee="partner : integer  # neuron whose inhibitory partner spikes in this step, or -1",
            forgets="partner = -1",
            in_layer=(
                Event("layer", "neurons", "partner_spikes", excited),
                Action("layer", "neurons", "partner_spikes", ready),
                Pathway("layer", "reports", "pre", "partner_spikes", "partner_post = i"),
                Event("layer", "neurons", "inhibited", "partner >= 0 and i != partner"),
                Action("layer", "neurons", "inhibited", drop),
            ),
            spikes="excited_for = step + 1",
            rests="excited_for = 0\npartner_ready_at = 0",
            populations=2,
        ),
        "first": Inhibition(),  # what ends early is in `phases`
        "ranked": Inhibition(),  # when neurons answer too
        "none": Inhibition(),  # how many spike too
    }
    return kinds[layer.inhibition]


def weights_read(plan: Plan, recorded: Recorded) -> int:
    """Return how many input spikes reach one neuron only, as all others are clamped."""
    (layer,) = plan.layers
    clamped = np.zeros(len(recorded.inputs_in_step), dtype=np.bool_)
    if layer.inhibition == "clamp":
        for step in recorded.spike_steps:
            end_of_image = (step // plan.steps + 1) * plan.steps
            clamped[step + 1 : min(step + 1 + layer.inhibition_steps, end_of_image)] = True
    return int(recorded.inputs_in_step[clamped].sum())
