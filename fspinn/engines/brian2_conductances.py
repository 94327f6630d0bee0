"""Diehl & Cook's network as published, as equations of Brian2: conductances, delays, triplets.

The equations and numbers are those of their code (github.com/peter-u-diehl/stdp-mnist, for Brian 1), which
differs from their paper (Front. Comput. Neurosci. 9:99, 2015) in the learning rule (the paper's accuracies
are those of its power law, here `postonly`), in the traces (set to 1, where the paper adds 1) and in the
threshold (which starts 20 mV above what it falls back to). As there, differential equations are integrated by
the forward Euler method: with steps of half a time constant of the conductances that is part of the model.

What is not as in the code: every presentation starts at rest, where there it starts with what 150 ms without
input have left. Input spikes and delays are drawn by fspinn, the delay of a synapse by its place alone, so
that it is the same while learning and answering (the code draws delays anew). And the extra timer of the
code, which runs out in one step, is left out.

===================  ==============  =================================================================
phase                slot            what happens in it
===================  ==============  =================================================================
start                ``start``       in the first step everything goes to rest
1 leak               ``groups``      differential equations, one step of the Euler method
4 threshold          ``thresholds``  all neurons above their thresholds spike, of both populations
  synapses           ``synapses``    conductances rise, weights change: spikes of the inputs that arrive
                                     now, of the neurons and of the inhibitory neurons
5 reset              ``resets``      of the neurons that spiked
end of presentation  ``end``         weight decay, normalisation; traces become 0
===================  ==============  =================================================================
"""

from fspinn.engines.brian2_definition import Action, Event, Part, Pathway, Population, Projection
from fspinn.engines.brian2_phases import IMAGE_ENDS, STEP, Mechanisms, lines, tidy

CONSTANTS = {
    "v_rest": (-65.0, "mV"),
    "e_excitatory": (0.0, "mV"),
    "e_inhibitory": (-100.0, "mV"),
    "tau_excitatory": (1.0, "ms"),
    "tau_inhibitory": (2.0, "ms"),
    "theta_start": (20.0, ""),
    "v_rest_partner": (-60.0, "mV"),
    "v_reset_partner": (-45.0, "mV"),
    "v_threshold_partner": (-40.0, "mV"),
    "tau_m_partner": (10.0, "ms"),
    "excitation": (10.4, ""),
}
"""What no field of a network says: values of Diehl & Cook's code, conductances in units of the leak's.

Partners are the inhibitory neurons, `excitation` is the conductance that a spike opens in its partner, and
theta starts `theta_start` mV above the value that it falls back to.
"""


def populations(on: Mechanisms, n_inputs: int) -> tuple[Population, ...]:
    """Return inputs, neurons and their inhibitory partners."""
    neurons = lines(
        "dv/dt = active*((v_rest - v) + g_e*(e_excitatory - v) + g_i*(e_inhibitory - v))/tau_m : volt",
        "dg_e/dt = -g_e/tau_excitatory : 1  # conductances, in units of the leak's",
        "dg_i/dt = -g_i/tau_inhibitory : 1",
        "dtheta/dt = -(theta + theta_start)/theta_tau : 1  # in mV, what adaptation adds to the threshold"
        if on.adaptation == "decaying"
        else "theta : 1  # in mV, what adaptation added to the threshold",
        "ready_at : integer  # step from which on it is no longer refractory",
        "active = int(step >= ready_at) : 1",
        (on.normalisation != "off", "size : 1  # sum over its weights, to normalise them"),
        STEP,
    )
    partners = lines(
        "dv/dt = active*((v_rest_partner - v) + g_e*(e_excitatory - v))/tau_m_partner : volt",
        "dg_e/dt = -g_e/tau_excitatory : 1",
        "ready_at : integer",
        "active = int(step >= ready_at) : 1",
        STEP,
    )
    return (
        Population("images", n_inputs, ""),
        Population("neurons", on.network.neurons, neurons),
        Population("partners", on.network.neurons, partners),
    )


def projections(on: Mechanisms) -> tuple[Projection, ...]:
    """Return the synapses; each has traces of its own, since a spike arrives at each in its own time."""
    weights = lines(
        "w : 1",
        (on.traces, "dx/dt = -x/trace_tau : 1 (event-driven)  # trace of input spikes that have arrived"),
        (on.traces, "dy/dt = -y/trace_tau : 1 (event-driven)  # traces of the neuron's spikes"),
        (on.traces, "dslow_y/dt = -slow_y/slow_trace_tau : 1 (event-driven)"),
    )
    return (
        Projection("weights", "images", "neurons", weights),
        Projection("excites", "neurons", "partners", connect="own"),
        Projection("inhibits", "partners", "neurons", connect="others"),
    )


def schedule(on: Mechanisms) -> tuple[Part, ...]:
    """Return what happens in a time step."""
    rest = lines(
        "v = v_rest",
        "g_e = 0",
        "g_i = 0",
        "ready_at = 0",
        (on.normalisation != "off", "size = 0"),
    )
    arrival = lines(
        "g_e_post += w",
        (on.traces, f"x {on.rises}"),
        (on.traces, "w = clip(w - depression_rate*y, 0, 1)"),
    )
    spike = lines(
        "v = v_rest + reset*mV" if on.network.reset else "v = v_rest",
        "ready_at = step + 1 + refractory_steps",
        (on.adaptation == "decaying", "theta += theta_step(t)"),
    )
    learned = f"w = clip(w + learning_rate(t)*x*slow_y, 0, 1)\ny {on.rises}\nslow_y {on.rises}"
    parts: list[Part] = [
        Event("start", "neurons", "image_starts", "step == 0"),
        Action("start", "neurons", "image_starts", rest),
        Event("start", "partners", "image_starts", "step == 0"),
        Action("start", "partners", "image_starts", "v = v_rest_partner\ng_e = 0\nready_at = 0"),
        Event("thresholds", "neurons", "spike", "v > v_rest + (firing_threshold + theta)*mV and active > 0"),
        Event("thresholds", "partners", "spike", "v > v_threshold_partner and active > 0"),
        Pathway("synapses", "weights", "pre", "spike", arrival, longest_delay_ms=on.network.delay_ms),
        Pathway("synapses", "excites", "pre", "spike", "g_e_post += excitation"),
        Pathway("synapses", "inhibits", "pre", "spike", "g_i_post += inhibition"),
    ]
    if on.traces:
        parts.append(Pathway("synapses", "weights", "post", "spike", learned))
    parts += [
        Action("resets", "neurons", "spike", spike),
        Action("resets", "partners", "spike", "v = v_reset_partner\nready_at = step + 1 + inhibition_steps"),
    ]
    if on.learning:
        parts += [
            Event("end", "neurons", "image_ends", IMAGE_ENDS),
            *tidy(on, "post"),
            Pathway("end", "weights", "post", "image_ends", "x = 0\ny = 0\nslow_y = 0"),
        ]
    return tuple(parts)
