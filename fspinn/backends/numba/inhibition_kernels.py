"""Each kind of inhibition: its number, what a spike does to the others, and steps in which that goes on.

A kind whose spike matters in later steps sets `INHIBITED_UNTIL`, and `EXEMPT`, the neuron that goes free.
"""

import numpy as np

from fspinn.backends.numba.arithmetic_kernels import either, inhibit, lower, lower_by_threshold
from fspinn.backends.numba.constants_kernels import (
    CEILING,
    ENDED,
    EXEMPT,
    INHIBITED_UNTIL,
    LOWEST,
    ROWS_READ,
    SPIKES,
    WEIGHTS_READ,
)
from fspinn.backends.numba.integer_kernels import cut, leak_all, leak_and_add_exactly, set_rows, sum_rows
from fspinn.backends.numba.integer_plasticity_kernels import follow_step as follow_step_in_integers
from fspinn.backends.numba.neuron_kernels import clear, flush, integrate
from fspinn.backends.numba.plasticity_kernels import follow_step
from fspinn.base.jit import njit

LATERAL, CLAMP, LAYER, FIRST, RANKED, NONE = range(6)
"""Numbers of the kinds of inhibition, in the order of `fspinn.lowering.plan.INHIBITIONS`."""


@njit
def populations(constants):
    """Return how many neurons a time step updates for each of the layer; `layer` adds a partner."""
    return 2 if constants.inhibition_kind == LAYER else 1


@njit
def fire(t, winner, constants, state):
    """Phase 5: reset and inhibition, or a note of who goes free from it in which steps to come."""
    carried = state.carried
    carried[SPIKES] += 1
    state.spike_counts[winner] += 1
    state.ready_at[winner] = t + 1 + constants.refractory_steps
    if constants.inhibition_kind == RANKED:
        lower(winner, constants, state)
        return
    if constants.inhibition_kind == NONE:
        lower_by_threshold(winner, constants, state)
        return
    state.potentials[winner] = 0
    if constants.inhibition_kind == LATERAL:
        inhibit(winner, constants, state)
    elif constants.inhibition_kind == CLAMP:
        clear(state.potentials)
        carried[EXEMPT], carried[INHIBITED_UNTIL] = winner, t + 1 + constants.inhibition_steps
        carried[CEILING] = 0
    elif constants.inhibition_kind == FIRST:
        carried[ENDED] = t + 1
    elif state.partner_ready_at[winner] <= t + 1:
        carried[EXEMPT], carried[INHIBITED_UNTIL] = winner, t + 2
        state.partner_ready_at[winner] = t + 2 + constants.inhibition_steps


@njit
def _advance_reals(t, starts, inputs, weights, constants, learning, state):
    potentials, exempt = state.potentials, state.carried[EXEMPT]
    if constants.inhibition_kind == CLAMP:
        potentials[exempt] *= constants.leak
        for e in range(starts[t], starts[t + 1]):
            potentials[exempt] += weights[inputs[e], exempt]
    else:
        for j in range(potentials.size):
            potentials[j] *= constants.leak
        inhibit(exempt, constants, state)
        no_leak = potentials.dtype.type(1.0)
        integrate(potentials, weights, inputs, starts[t], starts[t + 1], no_leak, state.thresholds)
    if t % 16 == 15:
        flush(potentials)
    follow_step(t, starts, inputs, weights, learning, state)
    return WEIGHTS_READ if constants.inhibition_kind == CLAMP else ROWS_READ


@njit
def _advance_integers(t, starts, inputs, weights, constants, learning, state):
    potentials, exempt = state.potentials, state.carried[EXEMPT]
    if constants.inhibition_kind == CLAMP:
        v, total = np.int64(potentials[exempt]), np.int64(0)
        v -= (v * constants.leak) >> 16
        for e in range(starts[t], starts[t + 1]):
            total += weights[inputs[e], exempt]
        v = cut(v + ((total * constants.scale_up) >> constants.scale_down), constants, state.range)
        potentials[exempt] = v
        state.range[LOWEST] = min(state.range[LOWEST], v)
        state.carried[CEILING] = max(v, 0)
    else:
        # The leak comes first, and only once.
        no_leak = potentials.dtype.type(0)
        leak_all(potentials, constants.leak)
        inhibit(exempt, constants, state)
        end = set_rows(inputs, starts[t], starts[t + 1], weights.shape[0], state.rows)
        sum_rows(weights, state.rows, end, state.sums)
        leak_and_add_exactly(potentials, state.sums, no_leak, constants, state.range)
        state.carried[CEILING] = constants.highest
    follow_step_in_integers(t, starts, inputs, learning, state)
    return WEIGHTS_READ if constants.inhibition_kind == CLAMP else ROWS_READ


advance_inhibited = either(_advance_reals, _advance_integers)
"""Take a step in which all neurons but one are inhibited, up to phase 4; return as what its reads count."""
