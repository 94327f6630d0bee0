"""The network `DiehlAndCook2015` of BindsNET: Diehl & Cook's network, but spikes change potentials.

H. Hazan et al., "BindsNET: a machine learning-oriented spiking neural networks library in Python", Front.
Neuroinform. 12:89 (2018). Sources: [M] bindsnet/models/models.py, the class and its defaults; [N]
bindsnet/network/nodes.py; [E] examples/mnist/eth_mnist.py, the run on MNIST. Nothing was tuned here. Their
first examples of 2018 have 17.5 mV of inhibition (the default of [M]), 63.75 Hz and 350 ms, which learn less
here.

What differs: of several neurons above their thresholds the one furthest above spikes, the others keep their
potentials (in [N] a random one spikes, and all are reset); spikes go from layer to layer within a time step,
but for inhibition, which comes in the next (in BindsNET each takes a step); the input is drawn in each step,
where BindsNET draws intervals from a Poisson distribution, which makes spikes more regular. With that, one
neuron answers each image where in BindsNET it is three: more neurons learn from the first images there.
Measured: a plain version of [M] and [N] reaches 78 to 82 % of validation images after 2,500 images, this one
49 to 72 %; after 5,000 both have 81 to 84 %.

===================  ==============  =================================================================
phase                slot            what happens in it
===================  ==============  =================================================================
leak                 ``groups``      differential equations, integrated exactly
inhibition           ``inhibition``  partners of the neurons that spiked a step ago spike, unless they
                                     are refractory, and take their part from all other neurons
input                ``input``       inputs spike; potentials rise, weights fall
threshold            ``thresholds``  of the neurons above their thresholds the one furthest above spikes
reset                ``resets``      of the neuron that spiked
learning             ``learning``    its weights rise
end of presentation  ``end``         normalisation; everything goes back to rest
===================  ==============  =================================================================
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diehl_cook.showing import Published, plastic

if TYPE_CHECKING:
    import brian2


@dataclass(frozen=True)
class Bindsnet2018(Published):
    """The numbers, each with its source. Partners are the inhibitory neurons, one for each neuron.

    A spike of a neuron always makes its partner spike: 22.5 mV ([M]: exc) are above the partner's threshold.
    """

    neurons: int = 100  # [E]
    passes: int = 1  # [E]
    dt_ms: float = 1.0  # [E]
    duration_ms: float = 250.0  # [E]
    rest_ms: float = 0.0  # [E]: all state is reset between images
    max_rate_hz: float = 128.0  # [E]: intensity
    least_spikes: int = 0  # [E]: no image is shown again
    rate_step_hz: float = 0.0
    weight_sum: float = 78.4  # [M]: norm, after every image
    v_rest_mv: float = -65.0  # [M]
    v_reset_mv: float = -60.0  # [M]
    v_threshold_mv: float = -52.0  # [M]
    tau_m_ms: float = 100.0  # [M]: tc_decay
    refractory_ms: float = 5.0  # [M]: refrac; input is ignored meanwhile [N]
    theta_step: float = 0.05  # [M]: theta_plus, mV
    theta_tau_ms: float = 1e7  # [M]: tc_theta_decay
    inhibition_mv: float = 120.0  # [E]
    partner_refractory_ms: float = 2.0  # [M]: refrac of the inhibitory neurons
    learning_rate: float = 0.01  # [M]: nu[1] of PostPre
    depression_rate: float = 0.0001  # [M]: nu[0]
    trace_tau_ms: float = 20.0  # [M]: tc_trace; a spike sets a trace to 1 [N]

    def build(self, n_inputs: int, *, learning: bool) -> "brian2.Network":
        import brian2

        names = self.names()
        clock = brian2.Clock(self.dt_ms * brian2.ms)
        images = brian2.SpikeGeneratorGroup(
            n_inputs, [], [] * brian2.ms, clock=clock, when="input", order=-1, name="images"
        )
        neurons = _neurons(self, clock, names, learning)
        partners = _partners(self, clock, names)
        weights = _weights(images, neurons, names, learning)
        weights.connect()
        weights.pre.when = "input"
        if learning:
            weights.post.when = "learning"
        excites = brian2.Synapses(
            neurons, partners, on_pre="excited_at_post = step_post + 1", clock=clock, namespace=names
        )
        excites.connect(j="i")
        excites.pre.when = "resets"
        inhibited = "v_post -= inhibition*int(step_post >= ready_at_post)"
        inhibits = brian2.Synapses(partners, neurons, on_pre=inhibited, clock=clock, namespace=names)
        inhibits.connect(condition="i != j")
        inhibits.pre.when = "inhibition"

        @brian2.network_operation(when="thresholds", order=-1, clock=clock)  # type: ignore[untyped-decorator]
        def choose(t: Any) -> None:
            """Only the neuron furthest above its threshold spikes, of equals the first."""
            step = round(float(t / clock.dt)) % self.all_steps
            excess = neurons.v_[:] * 1000 - (self.v_threshold_mv + neurons.theta[:])
            excess[(neurons.ready_at[:] > step) | (excess < 0)] = -np.inf
            neurons.winner = excess.argmax() if excess.max() >= 0 else -1

        spikes = brian2.SpikeMonitor(neurons, when="end", order=-1, name="output_spikes")
        network = brian2.Network(images, neurons, partners, weights, excites, inhibits, choose, spikes)
        network.schedule = (
            "start",
            "groups",
            "inhibition",
            "input",
            "thresholds",
            "resets",
            "learning",
            "end",
        )
        return network


def _neurons(
    published: Bindsnet2018, clock: "brian2.Clock", names: dict[str, Any], learning: bool
) -> "brian2.NeuronGroup":
    import brian2

    group = brian2.NeuronGroup(
        published.neurons,
        """
        dv/dt = (v_rest - v)/tau_m : volt
        dy/dt = -y/trace_tau : 1  # trace of its spikes
        theta : 1  # in mV, what adaptation adds to the threshold
        ready_at : integer  # step from which on it is no longer refractory
        size : 1  # sum over its weights, to normalise them
        winner : integer (shared)  # neuron that spikes, or -1
        step = t_in_timesteps % steps : integer (shared)  # within the presentation
        """,
        method="exact",
        events={"spike": "i == winner", "image_starts": "step == 0", "image_ends": "step + 1 == steps"},
        clock=clock,
        namespace=names,
        name="neurons",
    )
    group.set_event_schedule("image_starts", when="start", order=0)
    group.run_on_event("image_starts", "v = v_rest\ny = 0\nready_at = 0\nsize = 0", when="start", order=1)
    learned = "\ny = 1\ntheta += theta_step" if learning else ""
    reset = "v = v_reset\nready_at = step + 1 + refractory_steps"
    group.run_on_event("spike", reset + learned, when="resets")
    group.set_event_schedule("image_ends", when="end", order=0)
    if learning:
        group.run_on_event("image_ends", "theta *= exp(-duration/theta_tau)", when="end", order=1)
    return group


def _partners(published: Bindsnet2018, clock: "brian2.Clock", names: dict[str, Any]) -> "brian2.NeuronGroup":
    import brian2

    group = brian2.NeuronGroup(
        published.neurons,
        """
        excited_at : integer  # step in which it spikes, unless it is refractory
        ready_at : integer
        step = t_in_timesteps % steps : integer (shared)
        """,
        events={"spike": "excited_at == step and step >= ready_at", "image_starts": "step == 0"},
        clock=clock,
        namespace=names,
        name="partners",
    )
    group.set_event_schedule("image_starts", when="start", order=2)
    group.run_on_event("image_starts", "excited_at = -1\nready_at = 0", when="start", order=3)
    group.set_event_schedule("spike", when="inhibition", order=-1)
    group.run_on_event("spike", "ready_at = step + 1 + partner_refractory_steps", when="inhibition", order=1)
    return group


def _weights(
    images: "brian2.SpikeGeneratorGroup", neurons: "brian2.NeuronGroup", names: dict[str, Any], learning: bool
) -> "brian2.Synapses":
    import brian2

    arrival = "v_post += w*mV*int(step_post >= ready_at_post)"
    if not learning:
        return brian2.Synapses(
            images, neurons, "w : 1", on_pre=arrival, clock=neurons.clock, namespace=names, name="weights"
        )
    return plastic(
        images,
        neurons,
        "w : 1\ndx/dt = -x/trace_tau : 1 (event-driven)  # trace of input spikes",
        on_pre=f"{arrival}\nx = 1\nw = clip(w - depression_rate*y_post, 0, 1)",
        on_post="w = clip(w + learning_rate*x, 0, 1)",
        traces="x = 0",
        names=names,
    )
