"""How long does a presentation take? Clock cycles, affine in the spikes.

This project's own model of a core that works on one spike at a time, a few neurons at once (its lanes).
``dense-sim`` adds every weight in every time step, as simulators do.
"""

from fspinn.memmodel.footprint import Size, check_accounting
from fspinn.memmodel.hardware import Hardware
from fspinn.trained import Activity


def latency_cycles(
    size: Size, activity: Activity, hardware: Hardware, training: bool, accounting: str = "structure-aware"
) -> dict[str, int]:
    """Return the clock cycles of one presentation, by component; their sum is how long it takes.

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
        Cycles of `steps`, `scan` (finding the input spikes), `neurons` (leak and threshold), `weights`,
        `inhibition` and, while training, `learning`.

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    check_accounting(accounting)
    cost = hardware.cycles
    groups = -(-size.n_neurons // hardware.arithmetic.lanes)
    scan_words = -(-size.n_inputs // hardware.memory.state.word_bits)
    if accounting == "dense-sim":
        weight_rows = activity.steps * size.n_inputs
        inhibition_cycles = activity.steps * size.n_neurons * groups * cost.addition
    else:
        weight_rows = activity.input_spikes
        inhibition_cycles = activity.output_spikes * groups * cost.inhibition
    cycles: dict[str, float] = {
        "steps": activity.steps * cost.step,
        "scan": activity.steps * scan_words * cost.scan,
        "neurons": activity.neuron_updates / size.n_neurons * groups * cost.neuron,
        "weights": weight_rows * groups * cost.addition,
        "inhibition": inhibition_cycles,
    }
    if training:
        # Weights of a column lie in as many words; thresholds are updated a group of neurons at a time.
        threshold_words = activity.threshold_updates / size.n_neurons * groups
        cycles["learning"] = (activity.weight_writes + threshold_words) * cost.learning
    return {name: round(count / activity.samples) for name, count in cycles.items()}
