"""Penalties on activity: counted by hand, their gradients by finite differences."""

from math import sqrt

import pytest

torch = pytest.importorskip("torch")

from fspinn.learning.surrogate.penalties import (  # noqa: E402
    OF_A_LAYER,
    hoyer,
    hoyer_square,
    l1,
    l2,
    penalty_of,
    synops,
)

KINDS = [*OF_A_LAYER, "synops"]
FAN_OUTS = [torch.tensor([1.0, 2.0, 3.0, 4.0]).double(), 10.0]


def rates(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def layers(samples=3, scale=1.0):
    """Two layers of 4 and 3 units."""
    draw = torch.Generator().manual_seed(1)
    return [
        scale * torch.rand((samples, units), dtype=torch.float64, generator=draw) + 0.01 for units in (4, 3)
    ]


def test_penalties_are_what_is_counted_by_hand():
    two = rates([0.0, 0.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    assert l1(two).item() == pytest.approx((7 / 4 + 1) / 2)
    assert l2(two).item() == pytest.approx((25 / 4 + 1) / 2)
    assert hoyer(two).item() == pytest.approx(((7 / 5 - 1) / (2 - 1) + 1) / 2)
    assert hoyer_square(two).item() == pytest.approx((49 / (4 * 25) + 1) / 2)
    assert hoyer(rates([1.0, 2.0, 2.0])).item() == pytest.approx((5 / 3 - 1) / (sqrt(3) - 1))


def test_synaptic_operations_are_spikes_times_fan_out_in_parts_of_the_dense_number():
    first, second = (
        rates([0.5, 0.0, 0.0, 0.25], [0.0, 1.0, 0.0, 0.0]),
        rates([0.1, 0.0, 0.0], [0.0, 0.0, 0.3]),
    )
    done = (0.5 * 1 + 0.25 * 4 + 1.0 * 2 + 10 * (0.1 + 0.3)) / 2
    assert synops([first, second], FAN_OUTS).item() == pytest.approx(done / (10 + 30))
    assert synops([first], [10.0]).item() == pytest.approx(l1(first).item())


def test_other_penalties_are_the_mean_over_layers():
    two = layers()
    for kind, of_a_layer in OF_A_LAYER.items():
        expected = (of_a_layer(two[0]) + of_a_layer(two[1])).item() / 2
        assert penalty_of(kind, two, FAN_OUTS).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    given = [each.requires_grad_() for each in layers()]
    assert torch.autograd.gradcheck(lambda *two: penalty_of(kind, two, FAN_OUTS), given)


@pytest.mark.parametrize("kind", KINDS)
def test_size_of_batch_and_width_make_no_difference(kind):
    one = layers()
    expected = penalty_of(kind, one, [2.0, 2.0]).item()
    twice = [each.repeat(2, 1) for each in one]
    assert penalty_of(kind, twice, [2.0, 2.0]).item() == pytest.approx(expected)
    if kind != "hoyer":  # whose least is 0 for every width
        wide = [each.repeat(1, 2) for each in one]
        assert penalty_of(kind, wide, [2.0, 2.0]).item() == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "power"), [("hoyer", 0), ("hoyer-square", 0), ("l1", 1), ("l2", 2)])
def test_those_of_hoyer_do_not_see_scale(kind, power):
    one, tenth = ([scale * each for each in layers()] for scale in (1.0, 0.1))
    found = [penalty_of(kind, each, FAN_OUTS).item() for each in (one, tenth)]
    assert found[1] == pytest.approx(found[0] * 0.1**power)


@pytest.mark.parametrize("kind", ["hoyer", "hoyer-square"])
def test_a_single_active_unit_is_the_least_and_equal_ones_the_most(kind):
    assert penalty_of(kind, [rates([0.0, 0.7, 0.0, 0.0])], [1.0]).item() == pytest.approx(
        {"hoyer": 0.0, "hoyer-square": 1 / 4}[kind]
    )
    assert penalty_of(kind, [rates([0.7] * 4)], [1.0]).item() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("units", [1, 4])
def test_silence_costs_nothing_and_has_a_gradient(kind, units):
    silent = torch.zeros((2, units), requires_grad=True)
    penalty = penalty_of(kind, [silent], [1.0])
    penalty.backward()
    assert penalty.item() == 0.0
    assert torch.isfinite(silent.grad).all()
    half = torch.tensor([[0.0] * units, [0.5] * units], requires_grad=True)
    penalty_of(kind, [half], [1.0]).backward()
    assert torch.isfinite(half.grad).all()
