"""One image over time: the spikes that a prediction counts, and potentials against the plain twin."""

import naive
import numpy as np
import pytest

from fspinn.errors import ConfigError, DataError
from fspinn.model import Network
from fspinn.prediction import predict
from fspinn.presentation import potential, present
from fspinn.randomness import INFERENCE_SPIKES, stream_key
from fspinn.trained import Model, Readout

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8)
KINDS = (
    {},
    {"inhibition": 0.0},
    {"inhibition_of": "potential", "inhibition": 0.4},
    {"inhibition_kind": "clamp", "inhibition_ms": 7.0},
    {"inhibition_kind": "layer", "inhibition_ms": 25.0},
    {"inhibition_kind": "layer", "inhibition_ms": 0.0, "inhibition_of": "potential", "inhibition": 1.0},
    {"refractory_ms": 20.0},
    {"answer_threshold": 1.5, "answer_inhibition": 0.2},
    {"encoder": "ttfs", "threshold": 1.0, "duration_ms": 40.0},
    {"dt_ms": 2.0, "encoder": "regular"},
)


def model(**settings):
    network = Network(
        **{"neurons": 5, "weight_norm": 1.5, "threshold": 4.0, "duration_ms": 150.0, **settings}
    )
    random = np.random.default_rng(1)
    return Model(
        network=network,
        image_shape=(5, 4),
        weights=random.random((20, 5), dtype=np.float32),
        theta=random.normal(0, 0.5, 5).astype(np.float32),
        readout=Readout("proportion", np.eye(5, 3, dtype=np.float32)),
    )


class Watched(naive.Presentation):
    """Keeps the potentials of each time step: when they are compared with the thresholds, and at the end."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.course = []

    def spike(self, t):
        before = self.potentials.copy()
        super().spike(t)
        self.course.append((before, self.potentials.copy()))


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_the_potential_is_that_of_the_plain_twin(settings):
    trained = model(**settings)
    shown = present(trained, IMAGES[1], seed=3, number=1)
    watched = Watched(trained.network.answering, trained.weights, trained.theta, None)
    key = stream_key(3, INFERENCE_SPIKES, 1)
    for t, inputs in enumerate(naive.input_spikes(trained.network, IMAGES[1], key)):
        watched.leak_and_input(t, inputs)
        watched.spike(t)
    assert list(zip(shown.output_steps, shown.output_neurons, strict=True)) == watched.spikes
    assert len(watched.spikes) > 2
    for neuron in range(5):
        expected = [(before[neuron], after[neuron]) for before, after in watched.course]
        np.testing.assert_allclose(potential(trained, shown, neuron), expected, atol=1e-4)


@pytest.mark.parametrize("settings", KINDS[:3], ids=str)
def test_the_spikes_are_those_that_a_prediction_counts(settings):
    trained = model(**settings)
    answer = predict(trained, IMAGES, seed=5)
    for k, image in enumerate(IMAGES):
        shown = present(trained, image, seed=5, number=k)
        counts = np.bincount(shown.output_neurons, minlength=5)
        np.testing.assert_array_equal(counts, answer.spike_counts[k])
        assert (np.diff(shown.output_steps) > 0).all()
    assert sum(len(present(trained, i, number=k).input_spikes.inputs) for k, i in enumerate(IMAGES)) > 0


def test_where_nothing_spikes_there_is_nothing():
    shown = present(model(), np.zeros((5, 4), np.uint8))
    assert len(shown.output_steps) == len(shown.output_neurons) == len(shown.input_spikes.inputs) == 0
    assert (potential(model(), shown, 0) == 0).all()


def test_an_image_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"^image: 4 x 5 pixels do not fit a model for 5 x 4; resize"):
        present(model(), np.zeros((4, 5), np.uint8))
    with pytest.raises(DataError, match=r"^image: values are float64, not uint8"):
        present(model(), np.zeros((5, 4)))
