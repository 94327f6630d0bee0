"""What is a network? A frozen, checked description, and the order of events within a time step.

A network is an encoder, which turns samples into spikes, and a chain of layers. The neurons of a layer are
integrate-and-fire neurons, mostly with leak, that see a receptive field of the input (or all of it), inhibit
each other and share their weights over all positions of the field. Potentials and thresholds are
dimensionless: an input spike adds its weight. Below, ``firing_threshold = threshold * weight_norm``.

One presentation of a sample starts with all potentials and traces at 0, no neuron refractory and none
clamped. In each time step t, in this order:

1. **Leak.** Every potential is multiplied by ``exp(-dt_ms / tau_m_ms)``, every trace by
   ``exp(-dt_ms / trace_tau_ms)``. In every 16th step potentials below 1e-20 in size become 0, and traces do
   so in every step: denormal numbers are slow.
2. **Inhibition by a layer** (only ``inhibition = "layer"``). The inhibitory neuron that is due to spike
   lowers the potentials of all neurons but its own partner by the inhibition drop (see 5).
3. **Input.** For each input spike of the step, in the order of the inputs: its row of weights is added to
   the potentials, its trace rises by 1, and the rule `pair` depresses its row. While neurons are clamped,
   only the neuron that spiked last integrates; all others stay at 0.
4. **Threshold.** Among the neurons that are not refractory and whose potential has reached their own
   threshold (``firing_threshold + theta``), the one furthest above it spikes; among equals the first. So
   there is at most one output spike per step.
5. **Reset and inhibition.** The neuron that spiked goes to 0 and is refractory for the `refractory_ms` that
   follow, in which it integrates. Then, by `inhibition`:

   - ``"lateral"`` (FSpiNN): every other potential falls by the inhibition drop at once.
   - ``"clamp"`` (Querlioz et al. 2013): every other potential is set to 0 and stays there for the next
     `inhibition_ms`.
   - ``"first"``: nothing; see below.
   - ``"ranked"``: nothing; see below.
   - ``"none"``: nothing; see below.
   - ``"layer"`` (Diehl & Cook 2015): the inhibitory partner of the neuron spikes in the next step, unless it
     spiked within the last `inhibition_ms`; potentials fall in phase 2 of that step. Excitation of the
     partner is above its threshold, so it needs no potential, and no N x N matrix is ever made.

   The inhibition drop is ``inhibition_strength * firing_threshold``, or with ``inhibition_of = "potential"``
   the part `inhibition_strength` of the potential (1 is a full reset).
6. **Post.** The rules `pair` and `postonly` change the weights of the neuron that spiked, then its traces
   rise; with ``adaptation = "decaying"`` or ``"homeostatic"`` its theta does too.
7. **Window.** At the end of each learning window (and of the presentation) the rules `normalised` and
   `timestep` change weights, and ``adaptation = "balanced"`` changes theta.

At the end of a presentation theta decays (``"decaying"``) or falls (``"homeostatic"``), weights decay and are
normalised, where that is switched on. That, points 6 and 7 and the depression in 3 happen only while
learning; the docstrings of rules and adaptations give the formulas. A network that has learned answers with
`answer_threshold` and `answer_inhibition`, if they are given: strong competition makes good prototypes,
weaker competition makes graded answers.

With ``inhibition = "first"`` an output spike ends the presentation: phases 6 and 7 of its step are last.

With ``inhibition = "ranked"`` a presentation lasts `answer_ms` longer, without input (while learning, one
time step longer); these steps belong to its last learning window. No neuron spikes before them. In each of
them, phase 4 is: of the neurons that are not refractory the one whose potential less its threshold is the
largest spikes, among equals the first, whether it reaches the threshold or not, if there was any input. In
phase 5 its potential falls by ``answer_drop * weight_norm``, and no other changes. Such a layer is the last
one.

With ``inhibition = "none"`` every neuron that has reached its threshold in phase 4, and is not refractory,
spikes, in the order of the neurons: there may be several output spikes per step. In phase 5 each of them
loses its threshold, ``firing_threshold + theta``, and keeps what it is above it (a soft reset). Such a layer
learns nothing by STDP, and its thresholds do not adapt (``adaptation = "off"``).

**Fields.** Each position of a field is a presentation of its own, from rest, of the spikes of the inputs of
its field: positions know nothing of each other. While learning, `Stdp.positions` of them are presented for
each sample, one after the other: number i is ``word % positions``, with `word` the random word number i of
stream (seed, `POSITIONS`, number of the presentation) of `fspinn.base.randomness`. One that has fewer input
spikes than `Stdp.least_spikes` is left out.

**Layers.** Of each neuron in each cell the first spike, at its step, is an input spike of the next layer,
whose input is as high and wide as the grid of cells, and has a channel for each neuron; after a layer with
``inhibition = "none"``, each neuron in each cell is an input that spikes in every step in which the neuron
does so at any position of the cell. Layers learn one after the other by STDP, each on what those before it
answer.
"""

from fspinn.network.adaptation import Adaptation, Balanced, Decaying, Fixed, Homeostatic
from fspinn.network.description import Network
from fspinn.network.inhibition import Clamp, First, Inhibition, InhibitoryLayer, Lateral, NoInhibition, Ranked
from fspinn.network.inputs import (
    Contrast,
    Delta,
    Encoder,
    Events,
    FirstSpike,
    Level,
    LevelDelta,
    NoContrast,
    OnOff,
    Poisson,
    Regular,
    Unscaled,
)
from fspinn.network.layers import Layer, Neuron
from fspinn.network.learners import Hybrid, Learner, StdpLabels, Surrogate
from fspinn.network.rules import Normalised, Pair, PostOnly, Rule, Stdp, Timestep

__all__ = [
    "Adaptation",
    "Balanced",
    "Clamp",
    "Contrast",
    "Decaying",
    "Delta",
    "Encoder",
    "Events",
    "First",
    "FirstSpike",
    "Fixed",
    "Homeostatic",
    "Hybrid",
    "Inhibition",
    "InhibitoryLayer",
    "Lateral",
    "Layer",
    "Learner",
    "Level",
    "LevelDelta",
    "Network",
    "Neuron",
    "NoContrast",
    "NoInhibition",
    "Normalised",
    "OnOff",
    "Pair",
    "Poisson",
    "PostOnly",
    "Ranked",
    "Regular",
    "Rule",
    "Stdp",
    "StdpLabels",
    "Surrogate",
    "Timestep",
    "Unscaled",
]
