"""What every strategy of searches must do. A new one is tested by being named in `STRATEGIES`."""

import pytest
from quick_searches import few_digits, quick

from fspinn.search import jobs
from fspinn.search.asked import STRATEGIES
from fspinn.search.endings import Ending
from fspinn.search.result import describe
from fspinn.search.trial import Outcome


@pytest.fixture(scope="module")
def data():
    return few_digits()


def asked(strategy, **more):
    """A search of a few networks, which each strategy takes from where it does."""
    drawn = {"sampler": "random", "trials": 6}
    return {
        "accuracy": 0.5,
        "strategy": strategy,
        **({"sizes": (10, 20)} if strategy == "ladder" else drawn),
        **more,
    }


@pytest.fixture(params=STRATEGIES, scope="module")
def found(request, data):
    return quick(data, **asked(request.param))


def test_the_answer_meets_the_target_and_nothing_that_meets_it_is_smaller(found):
    assert found.winner.accuracy >= 0.5
    meets = [trial for trial in found.trials if trial.outcome in (Outcome.MEETS, Outcome.CHOSEN)]
    assert found.winner.cost.memory_bits == min(trial.cost.memory_bits for trial in meets)


def test_the_same_seed_gives_the_same_trials(found, data):
    again = quick(data, **asked(found.strategy))
    assert (again.trials, again.winner) == (found.trials, found.winner)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_network_is_trained_twice(data, monkeypatch, strategy):
    learn, trained = jobs.learn, []

    def noted(network, shown, learner, *args, **more):
        trained.append((network, learner, len(shown.train)))
        return learn(network, shown, learner, *args, **more)

    monkeypatch.setattr("fspinn.search.jobs.learn", noted)
    quick(data, **asked(strategy, accuracy=0.95))
    assert len(set(trained)) == len(trained) > 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_no_network_fits_nothing_is_trained(data, monkeypatch, strategy):
    monkeypatch.setattr("fspinn.search.jobs.learn", None)
    result = quick(data, **asked(strategy, memory=10))
    assert not result.found
    assert result.ending is Ending.IMPOSSIBLE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_was_trained_before_counts_although_the_time_is_over(data, tmp_path, strategy):
    settings = {"accuracy": 0.5, "passes": 6, "strategy": strategy}
    settings |= {"sizes": (10, 40, 60), "folder": tmp_path}
    settings |= {} if strategy == "ladder" else {"trials": 6, "sampler": "random"}
    whole = quick(data, **settings)
    assert whole.found
    again = quick(data, budget="1us", **settings)
    assert (again.trials, again.winner, again.certificate) == (whole.trials, whole.winner, whole.certificate)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_time_that_is_over_is_not_taken_for_a_no(data, monkeypatch, strategy):
    clock = [0.0]
    monkeypatch.setattr("fspinn.search.smallest.time.monotonic", lambda: clock[0])

    def later(_):
        clock[0] += 1.0

    settings = {"strategy": strategy, "budget": 0.5}
    settings |= {"sizes": (20, 40)} if strategy == "ladder" else {"sizes": None, "sampler": "random"}
    result = quick(data, accuracy=0.95, on_trials=later, **settings)
    assert result.ending is Ending.TIME_OVER
    total, what = (4, "candidates") if strategy == "ladder" else (13, "networks")
    assert f"of {total} {what} not tried" in describe(result)
    assert result.as_dict()["ending"] == "time over"
