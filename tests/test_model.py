"""Models and their tensors refuse what does not fit together; integers are the truth, floats a view."""

from dataclasses import fields, replace

import numpy as np
import pytest
from described import both, dense, model_from, tensors_of

from fspinn.base.errors import ConfigError
from fspinn.base.settings import as_plain
from fspinn.memmodel import Size
from fspinn.model.activity import Activity
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network import Layer, Network, Stdp
from fspinn.quant.formats import Format

UQ04 = Format.parse("UQ0.4")
FORMATS = UQ04, Format.parse("Q9.6"), Format.parse("Q4.2")


def activity_of(start):
    return Activity(*range(start, start + len(fields(Activity))))


def test_activities_add_up_field_by_field():
    total = activity_of(0) + activity_of(100)
    assert total.as_tuple() == tuple(100 + 2 * n for n in range(len(fields(Activity))))
    assert total.as_dict() == dict(zip([f.name for f in fields(Activity)], total.as_tuple(), strict=True))
    assert activity_of(5) + Activity() == activity_of(5)


def test_activity_per_sample():
    assert Activity(samples=4, output_spikes=10).per_sample("output_spikes") == 2.5
    assert Activity().per_sample("output_spikes") == 0


def test_numbers_with_a_format_are_integers_and_their_values_a_view():
    tensor = Tensor.rounded(np.array([[0.24, 0.99], [0.5, 7.0]], np.float32), UQ04)
    assert tensor.numbers.tolist() == [[4, 15], [8, 15]]
    assert (tensor.numbers.dtype, tensor.bits) == (np.uint8, 4)
    assert tensor.values.tolist() == [[0.25, 0.9375], [0.5, 0.9375]]
    assert tensor.values.dtype == np.float32
    floats = np.ones((2, 2), np.float32)
    assert Tensor(floats).values is floats
    assert Tensor(floats).bits == 32


def test_a_layer_knows_whether_it_computes_with_integers():
    layer = tensors_of(np.ones((4, 3)), np.zeros(3))
    assert (layer.formats, layer.inputs, layer.inputs_used, layer.state_bits) == (None, 4, 4, 32)
    mask = np.array([True, False, True, True])
    layer = tensors_of(np.ones((4, 3)) * mask[:, None], np.zeros(3), *FORMATS, input_mask=mask)
    assert (layer.formats.weights, layer.formats.state, layer.formats.theta) == FORMATS
    assert (layer.inputs, layer.inputs_used, layer.state_bits) == (4, 3, 15)
    assert layer.keeping(np.array([2])).weights.numbers.shape == (4, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"theta": Tensor(np.zeros(4, np.float32))}, r"theta: shape \(4,\) does not fit; these weights need"),
        ({"state": FORMATS[1]}, "weights: a layer with a state format needs a format of its weights too"),
        (
            {"input_mask": np.ones(3, bool)},
            r"input_mask: shape \(3,\) does not fit; these weights need \(4,\)",
        ),
        ({"input_mask": np.ones(4, bool)}, "input_mask: only a layer in integers has one; leave it out"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(changes, words):
    layer = LayerTensors.of_floats(np.ones((4, 3), np.float32), np.zeros(3, np.float32))
    with pytest.raises(ConfigError, match=f"^{words}"):
        replace(layer, **changes)


def model_of(**changes):
    parts = {
        "network": dense(3, weight_norm=1.0),
        "image_shape": (2, 2),
        "weights": np.zeros((4, 3)),
        "theta": np.zeros(3),
        "readout": Readout("proportion", np.zeros((3, 5), np.float32)),
    }
    return model_from(**{**parts, **changes})


@pytest.mark.parametrize(
    ("name", "changes", "shapes"),
    [
        ("weights", {"weights": np.zeros((3, 3))}, r"\(3, 3\) does not fit.* needs \(4, 3\)"),
        ("weights", {"image_shape": (3, 2)}, r"\(4, 3\) does not fit.* needs \(6, 3\)"),
        ("theta", {"theta": np.zeros(4)}, r"\(4,\) does not fit.* need \(3,\)"),
        ("readout", {"readout": Readout("majority", np.zeros((4, 5), np.float32))}, r"\(4, 5\).*\(3, 5\)"),
        ("readout", {"readout": Readout("majority", np.zeros(3, np.float32))}, r"\(3,\) does not fit"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(name, changes, shapes):
    with pytest.raises(ConfigError, match=f"^{name}: shape {shapes}"):
        model_of(**changes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weights", "theta", "readout"])
def test_numbers_that_are_not_finite_are_refused(name, value):
    arrays = {"weights": np.zeros((4, 3)), "theta": np.zeros(3), "readout": np.zeros((3, 5), np.float32)}
    arrays[name].flat[-1] = value
    part = Readout("proportion", arrays[name]) if name == "readout" else arrays[name]
    with pytest.raises(ConfigError, match=f"^{name}: holds NaN or infinity; train the network again$"):
        model_of(**{name: part})


def test_a_chain_of_layers_fits_from_the_input_to_the_readout():
    network = Network(layers=(Layer(3), Layer(2)))
    first, second = (tensors_of(np.zeros(shape), np.zeros(shape[1])) for shape in ((4, 3), (3, 2)))
    readout = Readout("proportion", np.zeros((2, 5), np.float32))
    model = replace(model_of(), network=network, layers=(first, second), readout=readout)
    with pytest.raises(ConfigError, match=r"^layers: this works for one layer, and the network has 2$"):
        model.layer  # noqa: B018
    with pytest.raises(ConfigError, match=r"^layers: tensors of 1 do not fit a network of 2$"):
        replace(model, layers=(first,))
    with pytest.raises(
        ConfigError, match=r"^weights: shape \(4, 3\) does not fit; this network needs \(3, 2\)"
    ):
        replace(model, layers=(first, first))


def test_a_field_sees_the_channels_of_the_cells_below_it():
    below, above = Layer(8, field=3, cells=(5, 5)), Layer(4, field=3)
    network = Network(layers=(below, above))
    shapes = (9, 8), (3 * 3 * 8, 4)
    tensors = tuple(
        LayerTensors.of_floats(np.ones(s, np.float32), np.zeros(s[1], np.float32)) for s in shapes
    )
    table = np.full((network.features, 2), 0.5, np.float32)
    model = Model(network, (28, 28), tensors, Readout("proportion", table))
    sizes = Size.of_network(network, Stdp(), image_shape=(28, 28), n_classes=2, weight_bits=32).layers
    assert [one.n_inputs for one in sizes] == [layer.inputs for layer in model.layers] == [9, 72]


def test_a_model_remembers_its_learner():
    assert model_of().learner == Stdp()
    learner = both(rule="pair", trace_tau_ms=3.0, passes=2).learner
    assert replace(model_of(), record={"learner": as_plain(learner)}).learner == learner


def test_a_model_knows_whether_it_is_quantized():
    assert not model_of().quantized
    assert model_of(formats=(UQ04, None, None)).quantized
