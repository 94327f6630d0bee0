"""Diehl & Cook's network as published: conductances, delays, images shown again, a rule of spike triplets.

P. U. Diehl and M. Cook, "Unsupervised learning of digit recognition using spike-timing-dependent plasticity",
Front. Comput. Neurosci. 9:99 (2015). Sources: [C] their code for Brian 1,
github.com/peter-u-diehl/stdp-mnist, Diehl&Cook_spiking_MNIST.py; [G] its
Diehl&Cook_MNIST_random_conn_generator.py; [P] the paper. Where code and paper differ the code counts:
learning rule (the accuracies of [P] are those of its power law), traces (a spike sets them to 1, in [P] it
adds 1), rise of the rates (32 Hz in [P]), threshold (which starts 20 mV above what it falls back to). Nothing
was tuned here. As in [C], differential equations are integrated by the forward Euler method: with steps of
half a time constant of the conductances that is part of the model.

What differs from [C]: every presentation starts at rest, where there it starts with what 150 ms without input
have left. Input spikes and delays are drawn by fspinn, the delay of a synapse by its place alone, so that it
is the same while learning and answering (the code draws delays anew). And the extra timer of the code, which
runs out in one step, is left out.

===================  ==============  =================================================================
phase                slot            what happens in it
===================  ==============  =================================================================
start                ``start``       in the first step of a presentation everything goes to rest
leak                 ``groups``      differential equations, one step of the Euler method
threshold            ``thresholds``  all neurons above their thresholds spike, of both populations
synapses             ``synapses``    conductances rise, weights change: spikes of the inputs that arrive
                                     now, of the neurons and of the inhibitory neurons
reset                ``resets``      of the neurons that spiked
end of presentation  ``end``         normalisation; traces become 0
===================  ==============  =================================================================
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diehl_cook.showing import Published, plastic
from fspinn.base.randomness import stream_key, uniforms

if TYPE_CHECKING:
    import brian2

DELAYS = 13
"""What random numbers are for, beside the purposes of `fspinn.base.randomness`."""


@dataclass(frozen=True)
class DiehlCook2015(Published):
    """The numbers, each with its source. Partners are the inhibitory neurons, one for each neuron."""

    neurons: int = 400  # [C]
    passes: int = 3  # [C], [P] for this size
    dt_ms: float = 0.5  # [C]
    duration_ms: float = 350.0  # [C], [P]
    rest_ms: float = 150.0  # [C], [P]
    max_rate_hz: float = 63.75  # [C], [P]: 255 / 4
    least_spikes: int = 5  # [C], [P]
    rate_step_hz: float = 31.875  # [C]: 255 / 8
    weight_sum: float = 78.0  # [C]
    delay_ms: float = 10.0  # [C]: the longest, from 0
    v_rest_mv: float = -65.0  # [C]
    v_reset_mv: float = -65.0  # [C]
    v_threshold_mv: float = -52.0  # [C]
    tau_m_ms: float = 100.0  # [C], [P]
    refractory_ms: float = 5.0  # [C]
    e_excitatory_mv: float = 0.0  # [C]
    e_inhibitory_mv: float = -100.0  # [C]
    tau_excitatory_ms: float = 1.0  # [C]
    tau_inhibitory_ms: float = 2.0  # [C]
    theta_step: float = 0.05  # [C]: theta_plus_e, mV
    theta_start: float = 20.0  # [C]: mV above the value that theta falls back to
    theta_tau_ms: float = 1e7  # [C]: tc_theta
    partner_v_rest_mv: float = -60.0  # [C]
    partner_v_reset_mv: float = -45.0  # [C]
    partner_v_threshold_mv: float = -40.0  # [C]
    partner_tau_m_ms: float = 10.0  # [C]
    partner_refractory_ms: float = 2.0  # [C]
    excitation: float = 10.4  # [G]: conductance that a spike opens in the partner, in units of the leak's
    inhibition: float = 17.0  # [G]: conductance that a partner opens in the other neurons, likewise
    learning_rate: float = 0.01  # [C]: nu_ee_post
    depression_rate: float = 0.0001  # [C]: nu_ee_pre
    trace_tau_ms: float = 20.0  # [C]: tc_pre_ee, tc_post_1_ee
    slow_trace_tau_ms: float = 40.0  # [C]: tc_post_2_ee

    def build(self, n_inputs: int, *, learning: bool) -> "brian2.Network":
        import brian2

        names = self.names()
        clock = brian2.Clock(self.dt_ms * brian2.ms)
        images = brian2.SpikeGeneratorGroup(
            n_inputs, [], [] * brian2.ms, clock=clock, order=-1, name="images"
        )
        neurons = _neurons(self, clock, names, learning)
        partners = _partners(self, clock, names)
        weights = _weights(images, neurons, names, learning)
        weights.connect()
        if self.delay_ms > 0:
            # How many synapses a stand-alone program has cannot be asked yet.
            parts = uniforms(stream_key(0, DELAYS), n_inputs * self.neurons)
            weights.pre.delay = self.delay_ms * parts * brian2.ms
        excites = brian2.Synapses(
            neurons, partners, on_pre="g_e_post += excitation", clock=clock, namespace=names
        )
        excites.connect(j="i")
        inhibits = brian2.Synapses(
            partners, neurons, on_pre="g_i_post += inhibition", clock=clock, namespace=names
        )
        inhibits.connect(condition="i != j")
        pathways = (weights.pre, excites.pre, inhibits.pre, *([weights.post] if learning else []))
        for order, pathway in enumerate(pathways):
            pathway.when, pathway.order = "synapses", order
        spikes = brian2.SpikeMonitor(neurons, when="end", order=-1, name="output_spikes")
        return brian2.Network(images, neurons, partners, weights, excites, inhibits, spikes)


def _neurons(
    published: DiehlCook2015, clock: "brian2.Clock", names: dict[str, Any], learning: bool
) -> "brian2.NeuronGroup":
    import brian2

    theta = "dtheta/dt = -(theta + theta_start)/theta_tau : 1" if learning else "theta : 1"
    group = brian2.NeuronGroup(
        published.neurons,
        f"""
        dv/dt = active*((v_rest - v) + g_e*(e_excitatory - v) + g_i*(e_inhibitory - v))/tau_m : volt
        dg_e/dt = -g_e/tau_excitatory : 1  # conductances, in units of the leak's
        dg_i/dt = -g_i/tau_inhibitory : 1
        {theta}  # in mV, what adaptation adds to the threshold
        ready_at : integer  # step from which on it is no longer refractory
        active = int(step >= ready_at) : 1
        size : 1  # sum over its weights, to normalise them
        step = t_in_timesteps % steps : integer (shared)  # within the presentation
        """,
        method="euler",
        events={
            "spike": "v > v_threshold + theta*mV and active > 0",
            "image_starts": "step == 0",
            "image_ends": "step + 1 == steps",
        },
        clock=clock,
        namespace=names,
        name="neurons",
    )
    group.set_event_schedule("image_starts", when="start", order=0)
    group.run_on_event(
        "image_starts", "v = v_rest\ng_e = 0\ng_i = 0\nready_at = 0\nsize = 0", when="start", order=1
    )
    risen = "\ntheta += theta_step" if learning else ""
    reset = "v = v_reset\nready_at = step + 1 + refractory_steps"
    group.run_on_event("spike", reset + risen, when="resets", order=0)
    group.set_event_schedule("image_ends", when="end", order=0)
    return group


def _partners(published: DiehlCook2015, clock: "brian2.Clock", names: dict[str, Any]) -> "brian2.NeuronGroup":
    import brian2

    group = brian2.NeuronGroup(
        published.neurons,
        """
        dv/dt = active*((partner_v_rest - v) + g_e*(e_excitatory - v))/partner_tau_m : volt
        dg_e/dt = -g_e/tau_excitatory : 1
        ready_at : integer
        active = int(step >= ready_at) : 1
        step = t_in_timesteps % steps : integer (shared)
        """,
        method="euler",
        events={"spike": "v > partner_v_threshold and active > 0", "image_starts": "step == 0"},
        clock=clock,
        namespace=names,
        name="partners",
    )
    group.set_event_schedule("image_starts", when="start", order=2)
    group.run_on_event("image_starts", "v = partner_v_rest\ng_e = 0\nready_at = 0", when="start", order=3)
    reset = "v = partner_v_reset\nready_at = step + 1 + partner_refractory_steps"
    group.run_on_event("spike", reset, when="resets", order=1)
    return group


def _weights(
    images: "brian2.SpikeGeneratorGroup", neurons: "brian2.NeuronGroup", names: dict[str, Any], learning: bool
) -> "brian2.Synapses":
    """Each synapse has traces of its own, since a spike arrives at each in its own time."""
    import brian2

    if not learning:
        return brian2.Synapses(
            images,
            neurons,
            "w : 1",
            on_pre="g_e_post += w",
            clock=neurons.clock,
            namespace=names,
            name="weights",
        )
    return plastic(
        images,
        neurons,
        """
        w : 1
        dx/dt = -x/trace_tau : 1 (event-driven)  # trace of input spikes that have arrived
        dy/dt = -y/trace_tau : 1 (event-driven)  # traces of the neuron's spikes
        dslow_y/dt = -slow_y/slow_trace_tau : 1 (event-driven)
        """,
        on_pre="g_e_post += w\nx = 1\nw = clip(w - depression_rate*y, 0, 1)",
        on_post="w = clip(w + learning_rate*x*slow_y, 0, 1)\ny = 1\nslow_y = 1",
        traces="x = 0\ny = 0\nslow_y = 0",
        names=names,
    )
