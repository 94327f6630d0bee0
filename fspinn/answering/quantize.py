"""Quantization after training, the readout fitted again where there are training samples to fit it on."""

from typing import TYPE_CHECKING

from fspinn.answering.compress import Compiler, Lowering
from fspinn.base.checks import checked_seed
from fspinn.base.errors import ConfigError
from fspinn.datasets.arrays import as_dataset
from fspinn.lowering import post_training
from fspinn.model.model import AnyModel, Model, model_of
from fspinn.quant.formats import Format, bits_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages


def quantize(
    model: AnyModel,
    weights: str | Format,
    rounding: str = "nearest",
    readout: str | Format | None = None,
    state: str | Format | None = None,
    theta: str | Format | None = None,
    seed: int = 0,
    data: "Dataset | LabelledImages | None" = None,
) -> Model:
    """Return a model whose weights and readout, and if asked for whose state, are fixed-point numbers.

    With a state format the model computes with integers only, as `fspinn.lowering.integers` says. The counted
    activity is kept: it is that of the network before quantization. Measured accuracies are dropped, since
    they are no longer true.

    Parameters
    ----------
    model : Model
        Or a result that holds one; left untouched.
    weights : str or Format
        Format of the weights, such as ``"UQ0.4"``. Those of a layer with a field are first scaled, with its
        thresholds, so that the largest fills the format. Those of a layer without inhibition, which are
        below 0 too and need a signed format such as ``"Q1.3"``, are scaled so that the sum of the squares of
        what rounding changes is the least; in few bits the largest saturate then.
    rounding : {"nearest", "truncate", "stochastic"}, default "nearest"
        For the weights. All other numbers are rounded to nearest.
    readout : str, Format or None, default None
        Format of the readout table; None is 8 bits: ``"Q1.7"`` for ``linear``, else ``"UQ0.8"``. Table and
        bias of ``linear`` are first multiplied by the number that makes the table fill its format, which
        changes no answer; the bias becomes a whole number of the format's steps, however large. The table
        of ``majority`` is left alone: it is stored as labels.
    state : str, Format or None, default None
        Format of potentials, threshold and inhibition, such as ``"Q9.6"``; None leaves them as they are.
    theta : str, Format or None, default None
        Format of what adaptation added to each threshold; None is the narrowest that holds it, with the
        fraction bits of the state.
    seed : int, default 0
        Of the rounding ``stochastic``, from 0 to 2^64 - 1; with `data` also of input spikes and of the order
        of samples.
    data : Dataset or None, default None
        What the model was trained on. With it a readout ``linear`` of 2 to 7 bits is fitted again, on what
        the quantized network answers to ``data.train`` and with its rounding in the loop (see
        `fspinn.model.rounded_readout`), to the labels that the readout of the model was fitted to and with
        their class weight; None rounds it, which costs nothing with 8 bits and can cost many points with 4.

    Returns
    -------
    Model
        Its tensors are integers with their formats. ``record["quantization"]`` has the
        formats, the rounding, the shares of all weights that saturated and that became zero, and whether the
        readout was fitted again.

    Raises
    ------
    ConfigError
        If the seed is not one, the data do not fit the model, or a state of so many bits is asked for without
        data.
    FormatError
        If the model is quantized already, or a format or rounding is unknown or cannot hold the values.
    """
    if data is None:
        if (bits := bits_of(state)) is not None:
            raise ConfigError(
                f"state: what {bits} bits have to hold is looked for on training images; give data too"
            )
        return post_training.quantize(model, weights, rounding, readout, state, theta, seed)
    how = Lowering(weights, state, theta, readout, rounding)
    model = model_of(model)
    return Compiler(as_dataset(data, model.scale), checked_seed(seed), None).compile(model, how)
