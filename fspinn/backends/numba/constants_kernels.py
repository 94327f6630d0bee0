"""The numbers that kernels compute with: names, places in arrays, and constants of reals and integers."""

from collections import namedtuple

NORMALISED, TIMESTEP, PAIR, POSTONLY = range(4)
"""Numbers of the rules, in the order of `fspinn.lowering.plan.RULES`."""

BALANCED, DECAYING, HOMEOSTATIC, NO_ADAPTATION = range(4)
"""Numbers of the adaptations, in the order of `fspinn.lowering.plan.ADAPTATIONS`."""

NO_NORMALISATION, L1, L2 = range(3)
"""Numbers of the normalisations, in the order of `fspinn.lowering.plan.NORMALISATIONS`."""

Reals = namedtuple(
    "Reals",
    "neurons steps input_steps refractory_steps inhibition_kind inhibition_steps firing_threshold leak drop "
    "drop_part",
)
"""Constants of a layer in reals. Inhibition takes ``drop + drop_part * v`` from a potential v.

`steps` are those of a presentation, of which the first `input_steps` have input.
"""

Integers = namedtuple(
    "Integers",
    "neurons steps input_steps refractory_steps inhibition_kind inhibition_steps firing_threshold leak drop "
    "drop_part scale_up scale_down largest_weight no_negative_weights lowest highest theta_shift",
)
"""Constants of a layer in integers.

The input of a step is ``(sum of weights * scale_up) >> scale_down``. `leak` has the type of the potentials.
"""

RealRow = namedtuple("RealRow", "leak")
IntegerRow = namedtuple("IntegerRow", "leak lowest highest")
"""Constants of positions in a row, computed together; `leak` has the type of the potentials."""

RealLearning = namedtuple(
    "RealLearning",
    "on rule adaptation window_steps spike_threshold falls_in_silence depression trace_leak lowest_theta "
    "theta_decay target_spikes weight_norm target_trace normalisation normalisation_goal weight_kept",
)
"""Constants of learning in reals; `theta_decay` is what theta is multiplied by."""

IntegerLearning = namedtuple(
    "IntegerLearning",
    "on rule adaptation window_steps spike_threshold falls_in_silence depression trace_leak lowest_theta "
    "theta_decay target_spikes rounding norm weight_fraction highest_weight trace_fraction",
)
"""Constants of learning in integers."""

RealState = namedtuple(
    "RealState",
    "potentials thresholds ready_at partner_ready_at spike_counts carried window_counts pre_traces places "
    "post_traces spiked scales",
)
"""State and working memory of a layer in reals, made once per batch.

Traces lie together, so that inputs that do not spike cost nothing in a time step: `places` says for each
input where in `pre_traces` its own is, or 0, where a trace that is always 0 lies. The first of `post_traces`
are those of the first neurons in `spiked`; `carried` says of how many.
"""

IntegerState = namedtuple(
    "IntegerState",
    "potentials thresholds ready_at partner_ready_at spike_counts carried window_counts pre_traces rows "
    "small_sums sums range",
)
"""The same of a layer in integers, with a trace for each input.

`rows` are the rows of the inputs that spike in a step, filled up with the row of zeros, and `range` holds the
lowest and the highest potential or threshold so far, and how many numbers were cut.
"""

Fields = namedtuple("Fields", "there positions drawn least_spikes where cell_of seen_starts seen")
"""Positions of a layer: `there` is whether it has a field; `drawn` of them are learned from in a sample.

`where` is what `fspinn.network.field_kernels.gather` needs, `cell_of` the cell of each position, and
`seen_starts` (steps + 1,) and `seen` are working memory.
"""

EXEMPT, INHIBITED_UNTIL, SPIKES, SPIKED, TRACED, CEILING, HIGHEST_THRESHOLD, ENDED = range(8)
"""Places in `carried`.

The neuron that is not inhibited in the steps before the next number, the number of output spikes so far, the
numbers of neurons in `spiked` and of inputs that have a place in `places`; in integers a number that no
potential is above (at least 0), and the highest threshold (at least 0); and after how many steps an output
spike has ended the presentation, or 0.
"""

LOWEST, HIGHEST, SATURATIONS = range(3)
"""Places in `range`, in the order of `fspinn.lowering.integers.Range`."""

# Places in the array of counts, in the order of `fspinn.model.activity.Activity`.
SAMPLES, STEPS, ACTIVE_STEPS, POSITIONS, INPUT_SPIKES, OUTPUT_SPIKES, ADDITIONS, NEURON_UPDATES = range(8)
ROWS_READ, WEIGHTS_READ, COLUMNS_WRITTEN, ROWS_WRITTEN, WINDOWS = range(8, 13)
THRESHOLD_PASSES, THRESHOLDS_WRITTEN, NORMALISATIONS, DECAYS = range(13, 17)
