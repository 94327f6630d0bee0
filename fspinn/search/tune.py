"""Which settings make a given network accurate? Random candidates, successive halving, validation images.

After Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (AISTATS
2016), with thirds instead of halves: all candidates learn for a ninth of the presentations, the best third
of them for a third, the best third of those for all. Learning rate and threshold step are annealed over the
presentations that a candidate gets. The given network is candidate 0 and learns for all of them in any case,
so that the result is never worse than it on the validation images.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from fspinn.answering.evaluate import evaluate
from fspinn.base.checks import checked_seed, whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError
from fspinn.base.jit import COMPILING, will_compile
from fspinn.base.randomness import CANDIDATES, TUNING_IMAGES, permutation, stream_key, uniforms
from fspinn.base.streams import on_terminal, say
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn, passes_for
from fspinn.model import readout as readouts
from fspinn.network.description import Network
from fspinn.network.rules import MAX_PASSES
from fspinn.search.intervals import wilson_interval
from fspinn.search.tuned import TuningResult, TuningTrial

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

RUNGS = (1 / 9, 1 / 3, 1.0)
"""Part of the presentations that the candidates of each rung get; a third of a rung goes on to the next."""

MULTIPLES = {
    "threshold": (0.4, 2.0),
    "inhibition": (0.4, 1.6),
    "inhibition_ms": (0.2, 5.0),
    "theta_step": (0.3, 4.0),
    "learning_rate": (0.2, 3.0),
    "learning_rate_end": (0.3, 30.0),
}
"""Least and most that candidates have, in multiples of the given network's own value (own)."""

THETA_STEP_END = (0.01, 0.3)
"""Least and most of `theta_step_end`, in multiples of `theta_step`; half of the candidates have 0 (own)."""

MAX_TRIALS = 10_000


def tune(
    network: Network,
    data: "Dataset",
    *,
    trials: int = 27,
    passes: int | None = None,
    readout: str = "proportion",
    seed: int = 0,
    threads: int | None = None,
    progress: bool = True,
    on_trial: Callable[[TuningTrial], None] | None = None,
) -> TuningResult:
    """Find threshold, inhibition, threshold step and learning rate, with their ends, for a network.

    Its size, encoder, rule and kind of inhibition stay as given. With `passes`, `seed` and `readout` of the
    tuning, `fspinn.train` of the result reaches the same validation accuracy again.

    Parameters
    ----------
    network : Network
        Candidate 0; the others are drawn around it.
    data : Dataset
        Learned from ``train``, chosen on ``validation``; ``test`` is not touched.
    trials : int, default 27
        Candidates; 1 measures only the given network.
    passes : int or None, default None
        How often the best candidates see each training image. None gives each neuron a hundred presentations.
    readout : str, default "proportion"
        What the accuracy is measured with.
    seed : int, default 0
        Fixes the candidates and everything random in their training.
    threads : int or None, default None
        Candidates that learn at a time; those that are fewer share the threads when they answer. None is one
        per core.
        The result does not depend on it.
    progress : bool, default True
        Show a progress bar, if standard error is a terminal.
    on_trial : callable, optional
        Called with each `TuningTrial` as soon as it is measured, in the order in which they finish.

    Raises
    ------
    ConfigError
        If `trials`, `passes` or `readout` make no sense, there are no validation images, or no candidate
        ever spiked.
    DataError
        If `data` is not a data set.
    """
    data = as_dataset(data)
    readouts.check_name(readout)
    seed = checked_seed(seed)
    trials = whole_number("trials", trials, 1, MAX_TRIALS)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    if passes is None:
        passes = passes_for(network.neurons, len(data.train))
    passes = whole_number("passes", passes, 1, MAX_PASSES)
    if len(data.validation) == 0:
        raise ConfigError("validation: tuning needs validation images to choose on; hold some out")
    bench = _Bench(data, [_shortened(data, passes, share, seed) for share in RUNGS], readout, seed)
    visible = progress and on_terminal()
    if visible and will_compile():
        say(COMPILING)
    bench.compile(network)
    started = time.perf_counter()
    title = f"tune {network.neurons} neurons"
    total = bench.planned(trials)
    with tqdm(total=total, unit=" samples", disable=not visible, desc=title) as bar:

        def note(trial: TuningTrial) -> None:
            bar.update(trial.presentations)
            if on_trial is not None:
                on_trial(trial)

        candidates = {number: drawn(network, seed, number) for number in range(trials)}
        measured = _halve(candidates, bench, threads, note)
    seconds = time.perf_counter() - started
    finalists = [trial for trial in measured if trial.rung == len(RUNGS)]
    best = _best_first(finalists)[0]
    if best.accuracy is None:
        raise ConfigError(f"tune: every candidate failed, the given network too: {best.verdict}")
    best = replace(best, verdict="chosen")
    told = [_judged(trial, best, measured) for trial in measured]
    shown = sum(trial.presentations for trial in measured)
    return TuningResult(best, tuple(told), passes, seed, readout, origin(data), seconds, shown / seconds)


def drawn(network: Network, seed: int, number: int) -> Network:
    """Return candidate `number`: 0 is the network itself, the others are drawn around it.

    Each value is log-uniform within `MULTIPLES` of the network's own (so a value of 0 stays 0), rounded to
    three digits.
    """
    if number == 0:
        return network
    random = uniforms(stream_key(seed, CANDIDATES, number), len(MULTIPLES) + 1).tolist()
    values = {}
    for (name, (low, high)), part in zip(MULTIPLES.items(), random, strict=False):
        values[name] = getattr(network, name) * low * (high / low) ** part
    low, high = THETA_STEP_END
    rest = 2 * random[-1] - 1
    values["theta_step_end"] = values["theta_step"] * low * (high / low) ** rest if rest > 0 else 0.0
    values["learning_rate"] = min(values["learning_rate"], 1.0)
    values["learning_rate_end"] = min(values["learning_rate_end"], values["learning_rate"])
    if network.inhibition_of == "potential":
        values["inhibition"] = min(values["inhibition"], 1.0)
    unused = "inhibition" if network.inhibition_kind == "clamp" else "inhibition_ms"
    del values[unused]
    if network.adaptation == "off":
        del values["theta_step"], values["theta_step_end"]
    rounded: dict[str, Any] = {name: float(f"{value:.3g}") for name, value in values.items()}
    return replace(network, **rounded)


@dataclass(frozen=True)
class _Bench:
    """Trains candidates and measures them; `lengths` are the images and passes of each rung."""

    data: "Dataset"
    lengths: Sequence[tuple["Dataset", int]]
    readout: str
    seed: int
    stopped: threading.Event = field(default_factory=threading.Event)

    def measure(self, rung: int, candidate: int, network: Network, threads: int) -> TuningTrial:
        """Return the trial of a candidate; a silent network is one that failed."""
        shown, passes = self.lengths[rung - 1]
        trial = TuningTrial(candidate, rung, network, self.presentations(rung), "measured")
        try:
            learned = learn(
                network, shown, passes=passes, seed=self.seed, progress=False, on_batch=self._go_on
            )
        except ConfigError as error:
            return replace(trial, verdict=f"failed: {error}")
        (model,) = fit_readouts(learned, shown, (self.readout,), threads=threads, on_batch=self._go_on)
        split = self.data.validation
        accuracy = evaluate(model, split, seed=self.seed, threads=threads, on_batch=self._go_on).accuracy
        interval = wilson_interval(round(accuracy * len(split)), len(split))
        return replace(trial, accuracy=accuracy, accuracy_interval=interval)

    def _go_on(self, done: int) -> None:
        """End the work of a candidate soon after the tuning is stopped."""
        if self.stopped.is_set():
            raise CancelledError(f"after {done} images")

    def presentations(self, rung: int) -> int:
        """Return for how many presentations the candidates of a rung learn."""
        shown, passes = self.lengths[rung - 1]
        return passes * len(shown.train)

    def planned(self, trials: int) -> int:
        """Return the presentations of all rungs together, if no candidate fails."""
        total, others = self.presentations(len(RUNGS)), trials - 1
        for rung in range(1, len(RUNGS) + 1):
            total += others * self.presentations(rung)
            others = _survivors(others)
        return total

    def compile(self, network: Network) -> None:
        """Compile the engine, so that neither the bar nor the rate waits for it."""
        one = replace(self.data, train=self.data.train.first(1))
        with suppress(ConfigError):  # nothing, if one image leaves the network silent
            learn(network, one, passes=1, seed=self.seed, progress=False)


def _halve(
    candidates: Mapping[int, Network], bench: _Bench, threads: int, note: Callable[[TuningTrial], None]
) -> list[TuningTrial]:
    """Return the trials of all rungs, by rung and candidate."""
    last = len(RUNGS)
    measured: list[TuningTrial] = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            # Candidate 0 goes straight to the last rung, beside the first: with a third of the others on
            # each rung, two cores have something to do to the end.
            given = pool.submit(bench.measure, last, 0, candidates[0], 1)
            numbers = [number for number in candidates if number != 0]
            for rung in range(1, last + 1):
                share = max(1, threads // max(1, len(numbers)))  # threads of each, where candidates are few
                futures = [pool.submit(bench.measure, rung, n, candidates[n], share) for n in numbers]
                for future in as_completed(futures):
                    note(future.result())
                results = [future.result() for future in futures]
                measured += results
                alive = [trial.candidate for trial in _best_first(results) if trial.accuracy is not None]
                numbers = sorted(alive[: _survivors(len(futures))])
            note(given.result())
        except BaseException:
            bench.stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    return sorted([*measured, given.result()], key=lambda trial: (trial.rung, trial.candidate))


def _survivors(candidates: int) -> int:
    return max(1, candidates // 3) if candidates else 0


def _best_first(trials: Sequence[TuningTrial]) -> list[TuningTrial]:
    """Sort by accuracy; among equals the first candidate, and those that failed at the end."""
    return sorted(trials, key=lambda t: (t.accuracy is None, -(t.accuracy or 0.0), t.candidate))


def _judged(trial: TuningTrial, best: TuningTrial, measured: Sequence[TuningTrial]) -> TuningTrial:
    """Return a trial with its final verdict."""
    if trial.accuracy is None:
        return trial
    if trial.rung == best.rung:
        return best if trial.candidate == best.candidate else replace(trial, verdict="dropped")
    higher = any(t.candidate == trial.candidate and t.rung > trial.rung for t in measured)
    return replace(trial, verdict="goes on" if higher else "dropped")


def _shortened(data: "Dataset", passes: int, share: float, seed: int) -> tuple["Dataset", int]:
    """Return images and passes that make up a share of all presentations, with as many images as can be."""
    images = len(data.train)
    presentations = max(1, round(passes * images * share))
    times = ceil(presentations / images)
    count = max(1, round(presentations / times))
    if count == images:
        return data, times
    chosen = np.sort(permutation(stream_key(seed, TUNING_IMAGES), images)[:count])
    return replace(data, train=type(data.train)(data.train.images[chosen], data.train.labels[chosen])), times
