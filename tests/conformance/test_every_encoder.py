"""What every encoder must do. A new one is tested by being a member of `fspinn.network.Encoder`."""

import naive_input
import numpy as np
import pytest
from described import flat
from encoded import drawn_images, encoding_of, input_spikes, network_of, per_step
from runners import fast

from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.network.encoders import ENCODERS, BatchEncoder


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_call_gives_the_same_spikes(encoder):
    network = network_of(100, encoder=encoder)
    first, second = (input_spikes(network, drawn_images()[0], 7, 1, 2) for _ in range(2))
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.testing.assert_array_equal(first.inputs, second.inputs)
    assert first.inputs.size > 5


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("steps", [1, 64, 200])
def test_spikes_are_sorted_by_step_and_by_input_within_a_step(encoder, steps):
    for image in drawn_images(10):
        spikes = input_spikes(network_of(steps, 1500.0, encoder=encoder), image, 0, 1, 0)
        assert spikes.offsets[0, 0] == 0
        assert spikes.offsets[0, -1] == len(spikes.inputs)
        assert spikes.offsets.shape == (1, steps + 1)
        assert (np.diff(spikes.offsets) >= 0).all()
        for inputs in per_step(spikes):
            assert inputs == sorted(set(inputs))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_black_image_stays_silent(encoder):
    black = np.zeros((5, 5), np.uint8)
    assert input_spikes(network_of(350, encoder=encoder), black, 0, 1, 0).inputs.size == 0


@pytest.mark.parametrize("encoder", ENCODERS)
def test_black_pixels_stay_silent(encoder):
    image = drawn_images()[0]
    spikes = input_spikes(network_of(350, 5000.0, encoder=encoder), image, 0, 1, 0)
    assert set(spikes.inputs.tolist()) == set(image.reshape(-1).nonzero()[0].tolist())


@pytest.mark.parametrize("encoder", ENCODERS)
def test_engines_see_these_spikes_whatever_the_other_images_are(encoder):
    batch = drawn_images(7)
    network = flat(neurons=2, weight_norm=1.0, duration_ms=90.0, encoder=encoder)
    weights, theta = np.full((16, 2), 0.3, np.float32), np.zeros(2, np.float32)

    def drawn(purpose, numbers):
        return sum(input_spikes(network, batch[n], 5, purpose, n).inputs.size for n in numbers)

    _, inference = fast.respond(network, weights, theta, batch[3:], seed=5, first=3)
    assert inference.input_spikes == drawn(INFERENCE_SPIKES, range(3, 7))
    _, training = fast.learn(network, weights, theta, batch[2:5], seed=5, first=2, total=7)
    assert training.input_spikes == drawn(TRAINING_SPIKES, range(2, 5))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_batch_holds_the_spikes_of_each_of_its_images(encoder, monkeypatch):
    """Also where the memory that is kept is too small for them, and where images before left theirs in it."""
    monkeypatch.setattr("fspinn.network.encoders._LEAST", 5)
    network, batch = network_of(150, 900.0, encoder=encoder), drawn_images(9)
    kept = BatchEncoder(encoding_of(network))
    for some in (slice(0, 2), slice(0, 9), slice(4, 4), slice(3, 8)):
        spikes = kept.encode(batch[some], 7, TRAINING_SPIKES, some.start)
        assert len(spikes) == len(batch[some])
        for m, image in enumerate(batch[some]):
            alone = input_spikes(network, image, 7, TRAINING_SPIKES, some.start + m)
            one = spikes.part(m, m + 1)
            for found, expected in zip(one.events, alone.events, strict=True):
                np.testing.assert_array_equal(found, expected)
        steps, inputs = spikes.events
        assert len(steps) == len(inputs) == len(spikes.inputs)
        assert (np.diff(steps) >= 0).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_pixels_that_are_not_used_do_not_spike_and_change_nothing_for_the_others(encoder):
    network, batch = network_of(150, 900.0, encoder=encoder, first_spikes=9), drawn_images(2)
    used = np.arange(16) % 3 > 0
    several = (BatchEncoder(encoding_of(network, mask)) for mask in (None, used))
    (steps, inputs), (few_steps, few_inputs) = (one.encode(batch, 7, 1).events for one in several)
    assert 0 < len(few_inputs) < len(inputs)
    np.testing.assert_array_equal(few_inputs, inputs[used[inputs]])
    np.testing.assert_array_equal(few_steps, steps[used[inputs]])


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("more", [{}, {"contrast": "on-off"}, {"first_spikes": 3}], ids=str)
def test_means_of_blocks_spike_as_the_twin_says(encoder, more):
    """Blocks of the signal among them are one row high; those of colours are pooled channel by channel."""
    random, network = np.random.default_rng(0), network_of(70, 1500.0, encoder=encoder, pool=2, **more)
    for shape in ((6, 4), (4, 6, 3), (1, 10)):
        images = random.integers(0, 256, (3, *shape), dtype=np.uint8)
        spikes = BatchEncoder(encoding_of(network)).encode(images, 7, TRAINING_SPIKES, 5)
        for m, image in enumerate(images):
            key = naive_input.stream_key(7, TRAINING_SPIKES, 5 + m)
            expected = naive_input.input_spikes(network, image, key)
            steps, inputs = spikes.part(m, m + 1).events
            assert [inputs[steps == t].tolist() for t in range(70)] == expected
