"""What does a presentation cost in energy? Counted accesses times the energy of each.

This project's own model of an event-driven core with two SRAMs. The weights lie row by row, one row per
input, as many as fit packed into a word; an input spike reads one row and adds it to the potentials. All
else (potentials, thresholds, spikes, counters, readout) lies in the state memory. Potentials and
thresholds are integers, and the leak is a shift and a subtraction.

``structure-aware`` is what such a core does. ``dense-sim`` is what simulators do: in every time step
every weight is read and added, those of the N x N inhibition too. Not in the model: clock tree, control
logic, wires, input and output.
"""

from typing import NamedTuple

from fspinn.memmodel.footprint import Size, check_accounting, footprint, score_bits
from fspinn.memmodel.hardware import Hardware
from fspinn.memmodel.latency import latency_cycles
from fspinn.memmodel.sram import read_pj, write_pj
from fspinn.trained import PAIR_READOUT, Activity


class _Access(NamedTuple):
    read_pj: float
    write_pj: float

    @property
    def update_pj(self) -> float:
        return self.read_pj + self.write_pj


def words(count: int, bits: int, word_bits: int) -> int:
    """Return the memory words that hold some numbers, packed, none across two words.

    Parameters
    ----------
    count : int
        How many numbers.
    bits : int
        Bits of one number; one wider than a word takes several.
    word_bits : int

    Returns
    -------
    int
    """
    if bits > word_bits:
        return count * -(-bits // word_bits)
    return -(-count // (word_bits // bits))


def energy_pj(
    size: Size, activity: Activity, hardware: Hardware, training: bool, accounting: str = "structure-aware"
) -> dict[str, int]:
    """Return the energy of one presentation, by component; their sum is what it costs.

    Parameters
    ----------
    size : Size
    activity : Activity
        What an engine counted, of at least one presentation; while learning if `training`.
    hardware : Hardware
    training : bool
    accounting : {"structure-aware", "dense-sim"}, default "structure-aware"

    Returns
    -------
    dict of str to int
        Whole picojoules (so that sums are exact) of `weights`, `state`, `inhibition`, `spikes`,
        `arithmetic`, `leakage` and, while training, `learning`, else `readout`.

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    check_accounting(accounting)
    dense = accounting == "dense-sim"
    n, spikes_out = size.n_neurons, activity.output_spikes
    bits = footprint(size, training, accounting)
    weight_word, state_word = hardware.memory.weights.word_bits, hardware.memory.state.word_bits
    row = words(n, size.weight_bits, weight_word)
    matrix_rows = size.n_inputs + (n if dense else 0)
    weight = _access(hardware, weight_word, matrix_rows * row * weight_word)
    scalars = sum(count for name, count in bits.items() if name not in ("weights", "inhibition"))
    state = _access(hardware, state_word, words(scalars, 1, state_word) * state_word)

    potentials = words(n, size.state_bits, state_word)
    thresholds = words(n, size.threshold_bits, state_word)
    passes = activity.neuron_updates / n
    state_pj = passes * (potentials * state.update_pj + thresholds * state.read_pj)
    if dense:  # a matrix product sums the drive of a neuron before it touches its potential
        weights_pj = activity.steps * size.n_inputs * row * weight.read_pj
        inhibition_pj = activity.steps * n * row * weight.read_pj
        additions = activity.steps * n * matrix_rows
    else:
        weights_pj = activity.input_spikes * row * weight.read_pj
        state_pj += activity.input_spikes * potentials * state.update_pj
        inhibition_pj = spikes_out * potentials * state.update_pj
        additions = activity.synaptic_additions + spikes_out * n
    # Leak and comparison are one addition each.
    add_pj = hardware.arithmetic.add_pj_per_bit * size.state_bits
    energies = {
        "weights": weights_pj,
        "state": state_pj,
        "inhibition": inhibition_pj,
        "spikes": activity.steps * words(size.n_inputs, 1, state_word) * state.update_pj,
        "arithmetic": (additions + 2 * activity.neuron_updates) * add_pj,
        "leakage": activity.samples * _leakage_pj(size, activity, hardware, training, accounting),
    }
    if training:
        energies["learning"] = _learning_pj(size, activity, hardware, weight, state)
    else:
        energies["readout"] = _readout_pj(size, activity, hardware, state)
    return {name: round(total_pj / activity.samples) for name, total_pj in energies.items()}


def _readout_pj(size: Size, activity: Activity, hardware: Hardware, state: _Access) -> float:
    """Return the energy of the readout in a whole run.

    Spikes are counted one by one; at the end of a presentation votes and table are read once. ``ngram``
    looks each spike up, with the one before, in its sorted pairs, and adds the row that it finds to the
    scores; at the end these are read once.
    """
    bits, word = footprint(size, training=False), hardware.memory.state.word_bits
    votes, table = words(bits["votes"], 1, word), words(bits["readout"], 1, word)
    spikes_out = activity.output_spikes
    if size.readout == PAIR_READOUT:
        looks = int(size.n_neurons**2 if size.pairs is None else size.pairs).bit_length()
        row = words(size.n_classes, size.readout_bits, word)
        scores = words(size.n_classes, score_bits(size), word)
        per_spike = (looks + row) * state.read_pj + scores * state.update_pj
        return spikes_out * per_spike + activity.samples * votes * state.read_pj
    return spikes_out * state.update_pj + activity.samples * (votes + table) * state.read_pj


def _access(hardware: Hardware, word_bits: int, capacity_bits: int) -> _Access:
    process, kappa = hardware.process, hardware.memory.kappa
    where = (process.node_nm, process.vdd_v, process.cell, word_bits, capacity_bits)
    return _Access(kappa * read_pj(*where), kappa * write_pj(*where))


def _leakage_pj(size: Size, activity: Activity, hardware: Hardware, training: bool, accounting: str) -> float:
    bits = sum(footprint(size, training, accounting).values())
    cycles = sum(latency_cycles(size, activity, hardware, training, accounting).values())
    # Picowatts times microseconds are 1e-6 pJ.
    return bits * hardware.memory.leakage_pw_per_bit * (cycles / hardware.clock.f_mhz) * 1e-6


def _learning_pj(
    size: Size, activity: Activity, hardware: Hardware, weight: _Access, state: _Access
) -> float:
    """Return the energy of learning in a whole run.

    Spikes are counted one by one. At the end of a window the counters are read twice (for their norm,
    then as the target) and cleared; the column of the winner is rewritten, one weight from each row
    and so from each word; then the thresholds.
    """
    state_word = hardware.memory.state.word_bits
    counters = words(size.n_inputs + size.n_neurons, size.window_steps.bit_length(), state_word)
    thresholds = words(size.n_neurons, size.threshold_bits, state_word)
    # Moving a weight towards its target is one multiplication and two additions.
    move_pj = (
        hardware.arithmetic.multiply_pj_per_square_bit * size.weight_bits**2
        + 2 * hardware.arithmetic.add_pj_per_bit * size.weight_bits
    )
    return (
        (activity.input_spikes + activity.output_spikes) * state.update_pj
        + activity.windows * counters * (2 * state.read_pj + state.write_pj)
        + activity.weight_writes * (weight.update_pj + move_pj)
        + activity.threshold_updates / size.n_neurons * thresholds * state.update_pj
    )
