"""What has a device learned? A model of a dump of its state."""

from dataclasses import replace

from fspinn.backends.c import device_grid, dump_bytes, mark_of, read_dump
from fspinn.base.errors import DataError
from fspinn.learning.fitting import raised
from fspinn.lowering.integer_learning import learned_theta
from fspinn.model.model import AnyModel, Model, model_of
from fspinn.model.tensors import LayerTensors, Tensor

_ALIGNED = 4
_ERASED = 2**32 - 1


def import_learned(dump: bytes, like: AnyModel) -> Model:
    """Return a model of what a device has learned: other weights and thresholds, the same readout.

    The activity stays too, that of the model before it learned on.

    Parameters
    ----------
    dump : bytes
        ``state.learned`` of a program that ``fspinn export --learning`` wrote.
    like : Model
        What was exported.

    Raises
    ------
    ConfigError
        If there is no program that learns such a network.
    DataError
        If the dump is not one of such a network, or a program of another model has learned it.
    """
    like = model_of(like)
    grid, layer, described = device_grid(like), like.layer, like.network.layers[0]
    inputs, neurons = layer.weights.numbers.shape
    size = dump_bytes(inputs, neurons, grid.weights)
    padded = -(-size // _ALIGNED) * _ALIGNED  # as a compiler may leave a struct
    if not size <= len(dump) <= padded:
        raise DataError(
            f"dump: {len(dump)} bytes are not what such a network has learned, which takes {size}; give the "
            "bytes of state.learned, and the model that was exported"
        )
    weights, theta, mark, samples = read_dump(dump, inputs, neurons, grid.weights)
    if samples in (0, _ERASED) or dump[size - 1] > 1:
        raise DataError(
            "dump: holds nothing that was learned, as before learn_start or in erased memory; "
            "give those of state.learned once it has learned"
        )
    if mark != mark_of(like):
        raise DataError(
            "dump: a program of another model has learned it, with other weights to begin with; give the "
            "model that was exported"
        )
    values, theta_format = learned_theta(theta, described.neuron.firing_threshold, grid)
    learned = LayerTensors(Tensor(weights, grid.weights), Tensor.rounded(values, theta_format), grid.state)
    record = {name: value for name, value in like.record.items() if name != "validation_accuracy"}
    return replace(
        like,
        layers=(raised(learned, like.network.answering.layers[0]),),
        record={**record, "learned_on_device": samples},
    )
