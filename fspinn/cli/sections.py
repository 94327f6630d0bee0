"""Help that can be read: options in sections, those that most people need by --help, all by --help-all."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import click

_OTHER = "Other"

SECTIONS = {
    "Data": (
        *("--dataset", "--data-dir", "--validation", "--samples", "--split", "--index", "--position"),
        *("--labels", "--resize", "--grey", "--length", "--label", "--shape", "--features"),
        "--mean-intensity",
    ),
    "What is asked for": ("--accuracy", "--confidence", "--metric", "--minimize", "--target", "--max-loss"),
    "Limits": (
        *("--memory", "--training-memory", "--energy", "--latency", "--flash", "--ram", "--area", "--spikes"),
        *("--synops", "--time-steps", "--training-steps"),
    ),
    "Hardware": ("--hardware", "--compare", "--online", "--check", "--details"),
    "Network and learning": (
        *("--preset", "--learner", "--unsupervised", "--neurons", "--sizes", "--field", "--cells", "--beta"),
        *("--threshold", "--surrogate", "--surrogate-width", "--penalty", "--penalty-strength", "--passes"),
        *("--space", "--set", "--start", "--like", "--learning", "--readout", "--readouts", "--class-weight"),
        *("--reject", "--settings", "--equations"),
    ),
    "Numbers": (
        *("--weights", "--state", "--theta", "--rounding", "--auto", "--shift-leak", "--tune", "--prune"),
    ),
    "How it is done": (
        *("--strategy", "--sampler", "--trials", "--budget", "--seeds", "--seed", "--engine", "--workers"),
        *("--scheduler", "--threads", "--resume", "--checkpoint-every"),
    ),
    "Output": ("--output", "--live", "--overwrite", "--name", "--plot", "--toml", "--json"),
    _OTHER: ("--config", "--help", "--help-all", "--version"),
}
"""Options by section; the same word is the same option in all commands."""

_FEW = 7
"""So many options need sections."""

_EVERYTHING = "fspinn.help-all"


class Command(click.Command):
    """A command whose help has sections.

    Parameters
    ----------
    usual : sequence of str or None, default None
        Options that ``--help`` shows, by their long names; None is all that are not hidden.
    """

    def __init__(self, *args: Any, usual: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.usual = usual

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all parameters, and --help-all, which is in the help where that leaves some out."""
        return [*super().get_params(ctx), _help_all(hidden=all(map(self._is_usual, self.params)))]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of each section."""
        rows: dict[str, list[tuple[str, str]]] = {title: [] for title in SECTIONS}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (self._is_usual(param) or ctx.meta.get(_EVERYTHING)):
                shown = copy(param)
                shown.hidden = False  # click says nothing of a hidden one
                record = shown.get_help_record(ctx)
                assert record is not None
                rows[section_of(param)].append(record)
        if sum(map(len, rows.values())) < _FEW:
            rows = {"Options": [record for of_section in rows.values() for record in of_section]}
        for title, of_section in rows.items():
            if of_section:
                with formatter.section(title):
                    formatter.write_dl(of_section)

    def _is_usual(self, param: click.Parameter) -> bool:
        if not isinstance(param, click.Option):
            return True
        always = section_of(param) == _OTHER
        usual = self.usual is None or long_name(param) in self.usual
        return (usual or always) and not param.hidden


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def as_command(name: str, **how: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Return what makes a command of a function, as `click.command` does."""
    return click.command(name, cls=Command, **how)


def long_name(param: click.Parameter) -> str:
    """Return the name of an option as it is typed in full."""
    return max(param.opts, key=len)


def section_of(param: click.Parameter) -> str:
    """Return the title of the section that an option belongs to."""
    name = long_name(param)
    return next((title for title, names in SECTIONS.items() if name in names), _OTHER)


def _help_all(*, hidden: bool) -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given and not ctx.resilient_parsing:
            ctx.meta[_EVERYTHING] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        hidden=hidden,
        callback=show,
        help="Show all options and exit.",
    )
