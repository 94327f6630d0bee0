"""Strategies draw networks, train each once, measure all its variants; the cost model rejects the others."""

import errno
from dataclasses import replace
from importlib.util import find_spec

import pytest
from described import changed, dense, setup, stdp
from quick_searches import QUICK, few_digits, quick

import fspinn
from fspinn.base.errors import UnfinishedError
from fspinn.base.settings import members
from fspinn.network import Adaptation, Encoder, Inhibition, Rule
from fspinn.network.setup import Setup
from fspinn.search import Candidate, Range, Space, Variant, jobs
from fspinn.search.constraints import Constraints
from fspinn.search.costs import Cost
from fspinn.search.endings import Ending, ending_of, headline
from fspinn.search.halving import RUNGS
from fspinn.search.jobs import Job, JobResult, Measurement, SearchContext, Source
from fspinn.search.ladder import Ladder
from fspinn.search.ledger import Ledger
from fspinn.search.result import describe
from fspinn.search.sampling import Drawing
from fspinn.search.trial import Outcome

LEARNS_ONCE = Setup(QUICK, stdp(passes=1))
LEARNS_LONG = Setup(QUICK, stdp(passes=6))
FAMILIES = {"encoder": Encoder, "inhibition": Inhibition, "adaptation": Adaptation, "rule": Rule}
VARIANTS = (Variant("UQ0.2"), Variant("UQ0.4"))


@pytest.fixture(scope="module")
def data():
    return few_digits()


def threshold(trial):
    return trial.candidate.network.layers[0].neuron.threshold


def cost(bits):
    return Cost(bits, bits, 1.0, 1.0, 1.0, 1.0, 1.0, 8, 800)


def ledger_of(bits, **settings):
    seeds = settings.pop("seeds", 1)
    ledger = Ledger(
        Constraints(0.8), ("memory",), 0, seeds, lambda several: [cost(bits[one]) for one in several]
    )
    ledger.expect(bits)
    return ledger


def candidate(neurons, variant=VARIANTS[0]):
    return Candidate(setup(neurons=neurons), variant)


def result_of(job, correct, bits):
    confusion = ((correct, 100 - correct), (0, 0))
    return JobResult(tuple(Measurement(v, confusion, cost(bits)) for v in job.variants))


def test_the_ladder_trains_each_network_once_the_one_with_the_cheapest_variant_first():
    ledger = ledger_of(
        {candidate(n, v): n * k for n in (30, 10, 20) for k, v in zip((2, 5), VARIANTS, strict=True)}
    )
    ladder = Ladder(ledger, "stdp")
    first = ladder.ask()
    assert (first.network.neurons, first.variants) == (10, VARIANTS)
    ladder.tell(first, result_of(first, 10, 20))
    second = ladder.ask()
    assert second.network.neurons == 20
    ladder.tell(second, result_of(second, 99, 40))
    assert ladder.ask() is None  # 30 neurons take at least 60


def test_the_ladder_goes_on_when_a_finalist_does_not_hold():
    ledger = ledger_of({candidate(n): n for n in (10, 20)}, seeds=2)
    ladder = Ladder(ledger, "stdp")
    first = ladder.ask()
    ladder.tell(first, result_of(first, 95, 10))
    assert ladder.ask() is None
    (again,) = ledger.confirming(candidate(10))
    assert again == replace(first, seed=1)
    ledger.note(again, result_of(again, 50, 10))
    assert ledger.passing() == []
    assert ladder.ask().network.neurons == 20


def test_the_ladder_goes_on_when_a_finalist_fails_with_another_seed():
    ledger = ledger_of({candidate(n): n for n in (10, 20)}, seeds=2)
    ladder = Ladder(ledger, "stdp")
    first = ladder.ask()
    ladder.tell(first, result_of(first, 95, 10))
    (again,) = ledger.confirming(candidate(10))
    ledger.note(again, JobResult((), "no neuron ever spiked"))
    assert ledger.passing() == []
    failed = ledger.trials[candidate(10)]
    assert (failed.outcome, failed.verdict) == (Outcome.FAILED, "failed: no neuron ever spiked")
    assert ladder.ask().network.neurons == 20


def test_two_workers_may_be_given_networks_before_the_first_is_told():
    ladder = Ladder(ledger_of({candidate(n): n for n in (10, 20)}), "stdp")
    assert [ladder.ask().network.neurons, ladder.ask().network.neurons] == [10, 20]
    assert ladder.ask() is None


def test_what_is_beyond_a_limit_when_counted_is_not_the_answer():
    ledger = ledger_of({candidate(10): 10})
    ledger.constraints = Constraints(0.8, energy=0.9)
    job = Job(candidate(10).setup, 0, VARIANTS[:1])
    ledger.note(job, result_of(job, 99, 10))
    assert ledger.passing() == []
    assert ledger.constraints.reason(cost(10)) == "needs 1 pJ an image, more than the budget"


def test_an_expected_energy_gets_the_benefit_of_the_doubt():
    limit = Constraints(0.8, energy=0.9)
    assert limit.reason(replace(cost(10), counted=False)) is None
    assert limit.reason(replace(cost(10), energy_pj=2.0, counted=False)).startswith("needs about")


@pytest.mark.parametrize(
    "sampler",
    [
        "tpe",
        "random",
        pytest.param(
            "gp",
            marks=[
                pytest.mark.exhaustive,
                pytest.mark.skipif(find_spec("torch") is None, reason="needs torch"),
            ],
        ),
    ],
)
def test_bayes_draws_as_many_networks_as_asked_for_within_the_limits(data, sampler):
    told = []
    result = quick(data, strategy="bayes", sampler=sampler, memory="4 KiB", on_trials=told.append)
    drawn = told[:13]
    assert len({trials[0].candidate.network for trials in drawn}) == 13
    trained = [trial for trials in told for trial in trials]
    assert not any("at least" in trial.verdict for trial in trained)  # that is known before
    assert result.found
    assert result.winner.memory_bits <= 4 * 8192
    assert result.winner.accuracy_interval[0] >= 0.6
    assert any("more than the budget" in trial.verdict for trial in result.trials)
    again = quick(data, strategy="bayes", sampler=sampler, memory="4 KiB")
    assert again.trials == result.trials


@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_the_first_network_that_is_drawn_is_the_one_that_was_given(data, strategy):
    trials = []
    network = changed(QUICK, neurons=30, threshold=9.0)
    space = {"neurons": Range(10, 60), "threshold": (5.0, 9.0, 20.0), "theta_step": Range(0.5, 0.6)}
    space["duration_ms"] = Range(20.0, 120.0, step=50.0)  # 60 is not one of them
    quick(data, strategy=strategy, sampler="random", network=network, space=space, on_trials=trials.append)
    first = trials[0][0].candidate.network
    assert (first.neurons, first.layers[0].neuron.threshold) == (30, 9.0)
    assert 0.5 <= first.layers[0].adaptation.theta_step <= 0.6  # the one that was given is not to be chosen
    assert first.duration_ms in (20.0, 70.0, 120.0)


def test_below_the_answer_of_a_sampler_the_next_smaller_network_is_tried(data):
    result = quick(data, strategy="bayes", sampler="random")
    best = result.winner.candidate
    smaller = changed(best.network, neurons=int(best.neurons * 0.8))
    tried = [trial for trial in result.trials if trial.candidate.network == smaller]
    assert tried
    for trial in tried:
        assert trial.accuracy_interval[0] < 0.6 or trial.memory_bits > result.winner.memory_bits


def test_halving_trains_many_on_few_samples_and_the_best_on_all(data):
    trials = []
    result = quick(data, strategy="halving", trials=9, accuracy=0.5, on_trials=trials.append)
    begun = {t[0].candidate.network for t in trials if t[0].accuracy is None}
    whole = {t[0].candidate.network for t in trials if t[0].accuracy is not None}
    assert len(begun) == 9
    assert 0 < len(begun & whole) <= 4  # beyond these, networks around the answer
    dropped = [trial for trial in result.trials if trial.verdict.startswith("dropped: ")]
    shares = {trial.verdict.split(" after ")[1] for trial in dropped}
    assert shares <= {f"{share:.0%} of the presentations" for share in RUNGS}
    assert result.found
    assert result.winner.accuracies


def test_a_network_that_fails_is_recorded_and_the_search_goes_on(data):
    space = Space(LEARNS_ONCE, {"neurons": (20,), "threshold": (8.0, 1e9)})
    result = quick(data, space=space)
    verdicts = {threshold(trial): trial.verdict for trial in result.trials}
    assert verdicts[1e9].startswith("failed: threshold: no neuron ever spiked")
    assert threshold(result.winner) == 8.0


def test_a_format_that_cannot_hold_a_network_fails_alone(data):
    settings = {"weights": ("UQ0.4",), "state": ("Q2.1", "Q9.6"), "prune": (False, True)}
    space = Space(LEARNS_LONG, {"neurons": (20,), **settings})
    result = quick(data, space=space, weights=None, accuracy=0.5)
    verdicts = {t.candidate.variant: t.verdict for t in result.trials}
    assert {v.state for v, verdict in verdicts.items() if verdict.startswith("failed: ")} == {"Q2.1"}
    pruned = [t for t in result.trials if t.candidate.variant == Variant("UQ0.4", "Q9.6", prune=True)]
    whole = [t for t in result.trials if t.candidate.variant == Variant("UQ0.4", "Q9.6")]
    assert pruned[0].accuracy == whole[0].accuracy  # not one answer changes
    assert pruned[0].memory_bits < whole[0].memory_bits
    assert fspinn.evaluate(result.model, data.validation).accuracy == result.winner.accuracies[0]


def test_training_images_tell_the_format_of_a_state_of_so_many_bits(data):
    settings = {"neurons": (20,), "weights": ("UQ0.4",), "state": ("3 bits", "16 bits"), "prune": (True,)}
    result = quick(data, space=Space(LEARNS_LONG, settings), weights=None, accuracy=0.5)
    verdicts = {trial.candidate.variant.state: trial.verdict for trial in result.trials}
    assert verdicts["3 bits"].startswith("failed: state: 3 bits cannot hold -")
    assert verdicts["3 bits"].endswith("; give it at least 7")
    assert result.model.layer.state.bits == 16
    assert result.model.layer.state.highest > result.model.network.answering.layers[0].neuron.firing_threshold


def test_a_network_that_only_pruning_makes_small_enough_is_the_answer(data):
    settings = {"neurons": (20,), "weights": ("UQ0.4",), "state": ("16 bits",)}
    asked = {"weights": None, "accuracy": 0.5}
    whole = quick(data, space=Space(LEARNS_LONG, {**settings, "prune": (False,)}), **asked).winner
    limit = f"{whole.memory_bits // 8 - 1} B"
    assert not quick(
        data, space=Space(LEARNS_LONG, {**settings, "prune": (False,)}), memory=limit, **asked
    ).found
    both = {**settings, "prune": (True,), "weights": ("UQ0.2", "UQ0.6")}
    lost = quick(data, space=Space(LEARNS_LONG, both), memory=limit, **{**asked, "accuracy": 0.95})
    assert lost.nearest.candidate.weights == "UQ0.2"  # with six bits it is more accurate, and too large
    assert lost.nearest.accuracy < max(trial.accuracy for trial in lost.trials)
    pruned = quick(data, space=Space(LEARNS_LONG, {**settings, "prune": (True,)}), memory=limit, **asked)
    assert pruned.winner.accuracy == whole.accuracy
    assert fspinn.memmodel.Size.of(pruned.model).layers[0].mapped_pixels == 64


def test_a_space_has_its_own_network(data):
    result = quick(data, space=Space(LEARNS_ONCE, {"neurons": (20,)}))
    assert result.model.network.layers[0].neuron.threshold == 8.0
    with pytest.raises(
        fspinn.base.errors.ConfigError,
        match=r"^network: the space has another one, or another learner; leave",
    ):
        quick(data, space=Space(LEARNS_ONCE, {"neurons": (20,)}), network=dense())


def test_the_ladder_goes_on_while_pruning_may_leave_less_than_the_best(data):
    pruned = Variant("UQ0.4", "16 bits", prune=True)
    ledger = ledger_of({candidate(n, pruned): n for n in (10, 20, 30)})
    ladder = Ladder(ledger, "stdp")
    assert ladder.neurons_left() == 60
    first = ladder.ask()
    ladder.tell(first, result_of(first, 95, 25))  # half again as much as the least that was expected
    assert ladder.neurons_left() == 20
    assert ladder.ask().network.neurons == 20
    assert ladder.ask() is None


def test_out_of_memory_is_a_result_not_the_end(data, monkeypatch):
    def too_much(*args, **kwargs):
        raise MemoryError("1 TiB")

    monkeypatch.setattr("fspinn.search.jobs.learn", too_much)
    hardware = fspinn.memmodel.load_hardware("asic65-lp")
    context = SearchContext(Source.of(data, None), hardware, threads=1, data=data)
    result = context.measure(Job(Setup(QUICK, stdp(passes=1)), 0, VARIANTS))
    assert result.fault == "MemoryError: 1 TiB"
    assert result.error is None


def test_what_no_network_is_to_blame_for_is_not_remembered_and_tried_again(data, monkeypatch, tmp_path):
    learn = jobs.learn

    def broken(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    sizes = (10, 14, 18, 22, 26)
    monkeypatch.setattr("fspinn.search.jobs.learn", broken)
    lost = quick(data, sizes=sizes, folder=tmp_path)
    assert not lost.found
    assert lost.ending is Ending.UNFINISHED
    outcomes = [trial.outcome for trial in lost.trials]
    assert outcomes.count(Outcome.UNFINISHED) == 6  # after three networks in a row it is of no use to go on
    assert outcomes.count(Outcome.UNTRIED) == 4
    assert describe(lost) == (
        "The search could not finish: 6 of 10 candidates are not finished: OSError: [Errno 28] No space left "
        "on device; the same command tries them again."
    )
    monkeypatch.setattr("fspinn.search.jobs.learn", learn)
    again = quick(data, sizes=sizes, folder=tmp_path)
    assert again.found
    assert again.trials == quick(data, sizes=sizes).trials


def test_an_answer_says_that_smaller_networks_could_not_be_measured(data, monkeypatch):
    learn = jobs.learn

    def without_memory_for_ten(network, *args, **kwargs):
        if network.neurons == 10:
            raise MemoryError
        return learn(network, *args, **kwargs)

    monkeypatch.setattr("fspinn.search.jobs.learn", without_memory_for_ten)
    result = quick(data, sizes=(10, 40), accuracy=0.5, passes=6)
    assert result.ending is Ending.FOUND
    assert describe(result).endswith(
        "2 of 4 candidates are not finished: MemoryError; the same command tries them again"
    )


def test_a_finalist_that_cannot_be_measured_again_is_not_the_answer(data, monkeypatch):
    learn = jobs.learn

    def only_once(*args, **kwargs):
        if kwargs["seed"] > 0:
            raise MemoryError
        return learn(*args, **kwargs)

    monkeypatch.setattr("fspinn.search.jobs.learn", only_once)
    result = quick(data, sizes=(40,), accuracy=0.5, passes=6, seeds=2)
    assert result.ending is Ending.UNFINISHED
    assert (
        "are not finished: MemoryError; the same command tries them again. The nearest so far: 40 neurons"
        in (describe(result))
    )


@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_a_network_that_was_drawn_and_could_not_be_measured_is_drawn_again(
    data, monkeypatch, tmp_path, strategy
):
    learn, calls = jobs.learn, []

    def broken_twice(*args, **kwargs):
        calls.append(None)
        if len(calls) in (3, 4):
            raise MemoryError
        return learn(*args, **kwargs)

    monkeypatch.setattr("fspinn.search.jobs.learn", broken_twice)
    settings = {"strategy": strategy, "sampler": "random", "trials": 6, "accuracy": 0.5, "folder": tmp_path}
    first = quick(data, **settings)
    assert Outcome.UNFINISHED in {trial.outcome for trial in first.trials}
    again = quick(data, **settings)
    assert Outcome.UNFINISHED not in {trial.outcome for trial in again.trials}
    assert len(again.trials) > 0


@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_a_sampler_that_was_not_told_of_a_network_before_a_kill_draws_it_again(
    data, monkeypatch, tmp_path, strategy
):
    settings = {"strategy": strategy, "sampler": "tpe", "trials": 13, "accuracy": 0.5}
    tell, calls = Drawing.tell, []

    def killed(self, *args):
        calls.append(None)
        if len(calls) == (11 if strategy == "bayes" else 2):
            raise KeyboardInterrupt
        tell(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(Drawing, "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            quick(data, folder=tmp_path, **settings)
    again = quick(data, folder=tmp_path, **settings)
    assert again.trials == quick(data, **settings).trials


def test_a_folder_that_fills_up_ends_the_search_in_one_line(data, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fspinn.search.journal.os.fsync", full)
    expected = (
        rf"^the search could not finish: {tmp_path} cannot be written \(No space left on device\); make "
        "space, and the same command goes on$"
    )
    with pytest.raises(UnfinishedError, match=expected):
        quick(data, sizes=(10,), folder=tmp_path)


def test_a_winner_that_cannot_be_trained_again_is_said_in_one_line(data, monkeypatch, tmp_path):
    settings = {"sizes": (40,), "accuracy": 0.5, "passes": 6, "folder": tmp_path}
    assert quick(data, **settings).found

    def broken(*args, **kwargs):
        raise MemoryError

    jobs._last.clear()
    monkeypatch.setattr("fspinn.search.jobs.learn", broken)
    with pytest.raises(
        UnfinishedError, match=r"^the search could not finish: the winner could not be trained again \(Memo"
    ):
        quick(data, **settings)


def test_a_budget_of_no_time_begins_nothing(data):
    result = quick(data, budget="1us", on_trials=lambda _: 1 / 0)
    assert not result.found
    assert {trial.verdict for trial in result.trials} == {"not tried: the time was over"}
    assert result.ending is Ending.TIME_OVER
    n = len(result.trials)
    assert (result.considered, result.untried) == (n, n)
    said = describe(result)
    assert said.startswith(
        f"The time was over with {n} of {n} candidates not tried. Without spikes, a linear "
    )
    assert said.endswith(" The same command with a longer --budget goes on where this one stopped.")
    drawn = quick(data, budget="1us", strategy="bayes", sampler="random")
    assert describe(drawn).startswith("The time was over with 13 of 13 networks not tried. ")


def test_what_is_cheaper_than_the_answer_and_was_not_tried_for_want_of_time_is_said_so(data, tmp_path):
    settings = {"accuracy": 0.5, "passes": 6, "folder": tmp_path}
    found = quick(data, sizes=(40,), **settings)
    late = quick(data, sizes=(10, 40, 60), budget="1us", **settings)
    assert late.winner == found.winner
    verdicts = {trial.candidate.neurons: trial.verdict for trial in late.trials if trial.accuracy is None}
    assert verdicts[10] == "not tried: the time was over"
    assert verdicts[60] == "not tried: takes more than the one chosen"
    assert late.certificate.not_reached == late.certificate.untried == 2
    assert "smaller and not measured: 2, of which 2 because the search ended first" in describe(late)


def test_what_is_cheaper_than_the_answer_of_a_sampler_and_was_not_tried_is_said_so():
    ledger = ledger_of({candidate(40): 100, candidate(20): 50, candidate(60): 150, candidate(10): 20})
    job = Job(candidate(10).setup, 0, VARIANTS[:1])
    ledger.note(job, result_of(job, 10, 20))
    left = ledger.untried_below(candidate(40))
    assert left == {candidate(20)}
    assert ledger.untried_below(None) == set()
    trials = ledger.final(candidate(40), left, late=True)
    words = [trials[candidate(n)].verdict for n in (20, 60)]
    assert words == ["not tried: the time was over", "not tried: takes more than the one chosen"]


def test_a_network_that_failed_with_another_seed_is_not_unfinished():
    ledger = ledger_of({candidate(10): 10})
    for seed, came in ((0, 99), (1, None)):
        job = Job(candidate(10).setup, seed, VARIANTS[:1])
        ledger.note(job, result_of(job, came, 10) if came else JobResult((), error="it never spikes"))
    job = Job(candidate(10).setup, 2, VARIANTS[:1])
    ledger.note(job, JobResult((), fault="MemoryError"))
    trial = ledger.trials[candidate(10)]
    assert trial.outcome is Outcome.FAILED
    ending = ending_of([trial], None, False, None)
    assert ending is Ending.NONE_REACHES


def test_how_a_search_ended_counts_what_was_tried_and_what_fits():
    answer = {"target_accuracy": 0.8, "metric": "accuracy", "confidence": 0.975, "strategy": "bayes"}
    answer |= {"dataset": {"validation": 300}, "outcome": "below", "accuracy": 0.7, "untried": 0}
    answer["considered"] = 40
    over = [{"outcome": "over limit"}]
    for changes, words in (
        ({"trials": []}, "No network reaches 80.0%: all 40 networks were tried"),
        ({"trials": over, "untried": 37}, "No network that fits reaches 80.0%: 3 networks were tried"),
        (
            {"trials": over, "untried": 37, "ending": "time over"},
            "The time was over with 37 of 40 networks not tried, and none of the others that fit reaches "
            "80.0%",
        ),
    ):
        assert headline({**answer, "ending": "none reaches", **changes}) == words


def test_time_that_is_over_before_a_network_is_proven_is_said_with_both(data, monkeypatch):
    share = quick(data, sizes=(20,), passes=6, weights=("UQ0.4",)).nearest.accuracy
    clock = [0.0]
    monkeypatch.setattr("fspinn.search.smallest.time.monotonic", lambda: clock[0])

    def later(_):
        clock[0] += 1.0

    asked = {"sizes": (20, 40), "passes": 6, "weights": ("UQ0.4",), "accuracy": share - 0.046}
    result = quick(data, budget=0.5, on_trials=later, **asked)
    assert result.ending is Ending.TIME_OVER
    words = describe(result)
    assert words.startswith(
        "The time was over with 1 of 2 candidates not tried; so far a network reaches "
        f"{share - 0.046:.1%}, but 300 validation images do not prove it with 97.5 % confidence. "
        "The nearest: 20 neurons"
    )
    assert f"it would do if it stays at {share:.1%}. The same command with a longer --budget" in words


def test_ranges_are_drawn_from_and_lists_too(data):
    space = Space(
        LEARNS_ONCE,
        {
            "neurons": Range(10, 40),
            "threshold": Range(6.0, 10.0, step=2.0),
            "encoder": ("poisson", "regular"),
        },
    )
    result = quick(data, space=space, strategy="bayes", sampler="random", trials=8)
    measured = [trial.candidate.network for trial in result.trials if trial.accuracy is not None]
    assert {network.layers[0].neuron.threshold for network in measured} <= {6.0, 8.0, 10.0}
    assert {network.encoder.kind for network in measured} == {"poisson", "regular"}
    assert len({network.neurons for network in measured}) > 3


def test_jobs_that_differ_in_a_member_of_a_family_alone_are_different_jobs(data):
    context = SearchContext(Source.of(data, None), fspinn.memmodel.load_hardware("asic65-lp"))
    base = setup(neurons=20)
    jobs_of = [
        Job(changed(base, **({"adaptation": "off"} if kind == "none" else {}), **{family: kind}), 0, VARIANTS)
        for family, union in FAMILIES.items()
        for kind in members(union)
    ]
    assert len({context.key(job) for job in jobs_of}) == len(set(jobs_of)) > 8
