"""What every learning rule must do. A new one is tested by being a member of `fspinn.network.Rule`."""

import numpy as np
import pytest
from described import changed
from small_networks import LEARN_BY_STDP, SMALL, run

from fspinn.lowering.plan import RULES


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("spike_threshold", [None, 1])
@pytest.mark.parametrize("learning_rate", [0.1, 1.0])
def test_weights_stay_between_zero_and_one(rule, spike_threshold, learning_rate):
    network = changed(
        SMALL,
        rule=rule,
        spike_threshold=spike_threshold,
        learning_rate=learning_rate,
        depression_rate=0.3,
        target_trace=3.0,
        weight_norm=2.5,
        window_ms=10.0,
    )
    weights, _, counts, _ = run(network)
    assert counts.sum() > 15
    assert weights.min() >= 0
    assert weights.max() <= 1


@pytest.mark.parametrize("normalisation", ["l1", "l2"])
@pytest.mark.parametrize("rule", RULES)
def test_after_a_presentation_weights_are_normalised(rule, normalisation):
    network = changed(
        SMALL, rule=rule, normalisation=normalisation, learning_rate=0.05, weight_norm=0.9, weight_decay=0.1
    )
    weights, _, _, _ = run(network)
    size = weights.astype(float).sum(axis=0) if normalisation == "l1" else np.linalg.norm(weights, axis=0)
    goal = 0.1 * 9 if normalisation == "l1" else 0.9
    np.testing.assert_allclose(size, goal, rtol=1e-5)


@pytest.mark.parametrize("inhibition_kind", LEARN_BY_STDP)
@pytest.mark.parametrize("rule", RULES)
def test_without_adaptation_thresholds_never_change(rule, inhibition_kind):
    network = changed(SMALL, rule=rule, inhibition=inhibition_kind, adaptation="off")
    for threshold in (2.0, 1e6):
        _, theta, _, activity = run(changed(network, threshold=threshold), theta=0.125)
        assert theta.tolist() == [0.125] * 5
        assert (activity.threshold_passes, activity.thresholds_written) == (0, 0)
