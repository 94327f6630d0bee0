"""What did the tuning find, and how does ``fspinn train`` get it?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fspinn.base.errors import DataError
from fspinn.base.files import replaced_when_whole
from fspinn.base.printing import Drawn
from fspinn.base.settings import differences, settings_of
from fspinn.base.version import __version__
from fspinn.network.description import Network
from fspinn.network.setup import Setup
from fspinn.search.frames import frame_of, in_a_row
from fspinn.search.halving import RUNGS
from fspinn.search.trial import Trial


@dataclass(frozen=True, repr=False)
class TuningResult(Drawn):
    """The best settings that were found, and all that were tried.

    Parameters
    ----------
    best : Trial
    trials : tuple of Trial
        By rung, then by candidate.
    seed : int
    readout : str
    dataset : mapping
        Name, checksum and split of the images.
    seconds : float
        Wall-clock time of the tuning, without compilation.
    samples_per_s : float
        Presentations learned per second of it, by all threads.
    """

    best: Trial
    trials: tuple[Trial, ...]
    seed: int
    readout: str
    dataset: Mapping[str, Any]
    seconds: float
    samples_per_s: float

    def __str__(self) -> str:
        given, changed = self.baseline.accuracy, _changed(self.setup)
        before = "it never spiked" if given is None else f"{100 * given:.2f} %"
        settings = ", ".join(f"{name} {_short(value)}" for name, value in changed.items())
        found = (
            f"{self.setup.network.neurons} neurons, {100 * (self.best.accuracy or 0.0):.2f} % on validation"
        )
        return f"{found}, as given {before}; {settings or 'the defaults'}"

    @property
    def setup(self) -> Setup:
        """The best network and its learner."""
        return self.best.candidate.setup

    @property
    def baseline(self) -> Trial:
        """The trial of the network that was given."""
        return next(trial for trial in self.trials if trial.number == 0)

    def settings(self) -> dict[str, Any]:
        """Return the options of ``fspinn train`` that train the best network, by name."""
        chosen = {"dataset": self.dataset["name"], "readout": self.readout}
        return {**chosen, "neurons": self.setup.network.layers[0].neurons, **_changed(self.setup)}

    def rung(self, trial: Trial) -> int:
        """Return the rung of a trial, from 1 on; on the last the candidates learn for all presentations."""
        rungs = sorted({one.presentations or 0 for one in self.trials})
        return len(RUNGS) - len(rungs) + 1 + rungs.index(trial.presentations or 0)

    def to_frame(self) -> Any:
        """Return all trials as a ``pandas.DataFrame``, with the keys that a trial has in ``as_dict``, but for
        the interval, which is ``accuracy_low`` and ``accuracy_high``, as after a search; as a list of
        dictionaries where pandas is not installed.
        """
        return frame_of([in_a_row(self._plain(trial)) for trial in self.trials])

    def as_dict(self) -> dict[str, Any]:
        """Return the answer by name, as ``fspinn tune --json`` prints it."""
        return {
            "accuracy": self.best.accuracy,
            "accuracy_interval": self.best.accuracy_interval,
            "accuracy_of": "validation",
            "baseline_accuracy": self.baseline.accuracy,
            "neurons": self.setup.network.neurons,
            "settings": settings_of(self.setup),
            "readout": self.readout,
            "seed": self.seed,
            "dataset": dict(self.dataset),
            "seconds": self.seconds,
            "samples_per_s": self.samples_per_s,
            "trials": [self._plain(trial) for trial in self.trials],
        }

    def _plain(self, trial: Trial) -> dict[str, Any]:
        return {
            "candidate": trial.number,
            "rung": self.rung(trial),
            "settings": _changed(trial.candidate.setup),
            "presentations": trial.presentations,
            "outcome": trial.outcome.value,
            "verdict": trial.verdict,
            "accuracy": trial.accuracy,
            "accuracy_interval": trial.accuracy_interval,
        }


def describe(result: TuningResult) -> str:
    """Return the answer in words, for people."""
    baseline = result.baseline
    before = "it never spiked" if baseline.accuracy is None else f"{baseline.accuracy:.2%}"
    changed = {name: value for name, value in _changed(result.setup).items() if name != "passes"}
    settings = [f"  {name} = {toml_value(value)}" for name, value in changed.items()]
    return "\n".join(
        [
            f"{result.setup.network.neurons} neurons: {_percent(result)} on {result.dataset['validation']} "
            f"validation images ({result.readout} readout); as given: {before}",
            *(settings or ["  the defaults are the best"]),
        ]
    )


def write_config(result: TuningResult, path: str | Path) -> None:
    """Write the best settings as a TOML file that ``fspinn train --config`` reads.

    Raises
    ------
    DataError
        If the file cannot be written; what was there before stays.
    """
    path = Path(path)
    origin = result.dataset
    candidates = len({trial.number for trial in result.trials})
    lines = [
        f"# Found by fspinn {__version__}: fspinn tune, {candidates} trials, seed {result.seed}",
        f"# Accuracy: {_percent(result)} on {origin['validation']} validation images",
        f"# Images: {toml_value(origin['name'])}, {origin['train']} for training, "
        f"split with seed {origin['seed']}, SHA-256 {origin['checksum']}",
        *(f"{name} = {toml_value(value)}" for name, value in result.settings().items()),
    ]
    try:
        with replaced_when_whole(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); choose another file with -o"
        ) from None


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it, nothing as the word none.

    >>> toml_value(True), toml_value(1e-05), toml_value('a "b"'), toml_value(None), toml_value((3, 3))
    ('true', '1e-05', '"a \\\\"b\\\\""', '"none"', '[3, 3]')
    """
    if value is None:
        return '"none"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON escapes what TOML does, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _changed(setup: Setup) -> dict[str, Any]:
    """Return the settings that are not the default, but for the number of neurons.

    With a field the defaults are those of `Network.patches`, as where a file is read.
    """
    field = setup.network.layers[0].field
    given, start = ({}, Setup()) if field is None else ({"field": field}, Setup(Network.patches()))
    changed = given | differences(setup, start)
    return {name: value for name, value in changed.items() if name != "neurons"}


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(result: TuningResult) -> str:
    low, high = result.best.accuracy_interval or (0.0, 1.0)
    return f"{result.best.accuracy or 0.0:.2%} (95 % interval {low:.2%} to {high:.2%})"
