"""Reference pages that are made from the code: settings, equations, commands, keys of files and of JSON.

Sphinx calls `setup` before it reads the pages; they are written to `docs/reference/`, which git ignores.
"""

import csv
import importlib
import inspect
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click

from fspinn.base.settings import members

ROOT = Path(__file__).parent.parent.parent
PAGES = ROOT / "docs" / "reference"

FAMILIES = {
    "Encoders": "fspinn.network.inputs.Encoder",
    "Contrasts": "fspinn.network.inputs.Contrast",
    "Neurons": "fspinn.network.layers.Neuron",
    "Inhibition": "fspinn.network.inhibition.Inhibition",
    "Adaptation of thresholds": "fspinn.network.adaptation.Adaptation",
    "STDP": "fspinn.network.rules.Stdp",
    "Learning rules": "fspinn.network.rules.Rule",
    "Other learners": "fspinn.network.learners.Learner",
}
"""Headings, and the classes or unions of them whose docstrings say what they compute."""

KERNELS = {
    "fspinn.network.inputs.Encoder": ("encoders.py", "encoder_kernels.py"),
    "fspinn.network.inputs.Contrast": ("encoder_kernels.py",),
    "fspinn.network.layers.Neuron": ("neuron_kernels.py", "integer_kernels.py", "equations.py"),
    "fspinn.network.inhibition.Inhibition": ("inhibition_kernels.py", "inhibition.py"),
    "fspinn.network.adaptation.Adaptation": ("plasticity_kernels.py", "integer_plasticity_kernels.py"),
    "fspinn.network.rules.Stdp": ("schedule_kernels.py",),
    "fspinn.network.rules.Rule": ("plasticity_kernels.py", "integer_plasticity_kernels.py"),
    "fspinn.network.learners.Learner": ("labels.py", "column_kernels.py", "lif_kernels.py", "conversion.py"),
}
"""Files that compute it, in the folders that follow; the one that says what is the first of all."""

COMPUTING = ("network", "backends/numba", "backends/brian2", "learning", "learning/surrogate")

DOCUMENTED = {
    "train": ("learning.training",),
    "evaluate": ("answering.evaluate", "memmodel.neurobench", "model.activity"),
    "predict": ("answering.predict",),
    "estimate": ("memmodel.estimates", "memmodel.neurobench"),
    "search": (
        "answering.evaluate",
        "search.worth",
        "search.baselines",
        "search.constraints",
        "search.certificate",
        "search.result",
        "search.candidates",
        "search.costs",
        "search.trial",
    ),
}
"""Modules whose classes say what parameters mean (of equal names the last one); keys have the same names."""

ELSEWHERE = ("dataset.", "settings.")
"""Tables whose keys have other meanings, or are explained on another page."""

SPACE = """
neurons = [4]
field = 3
cells = 2
weights = ["UQ0.2", "UQ0.3"]
state = "10 bits"
readout = "linear"
"""

OUTPUTS: tuple[tuple[str, ...], ...] = (
    ("data", "info", "digits"),
    ("train", "--neurons", "4", "--field", "3", "--cells", "2", "-o", "net.h5"),
    ("info", "net.h5"),
    ("evaluate", "net.h5"),
    ("quantize", "net.h5", "--weights", "UQ0.3", "--state", "10 bits", "-o", "small.h5"),
    ("predict", "small.h5", "digit.png"),
    ("estimate", "small.h5", "--hardware", "mcu-avr"),
    ("export", "small.h5", "--target", "c", "-o", "out"),
    ("search", "--space", "space.toml", "--accuracy", "0.5", "--seeds", "1", "-o", "result"),
)
"""Commands that are run to see which keys they answer with."""


def setup(app: Any) -> dict[str, bool]:
    """Be a Sphinx extension."""
    app.connect("builder-inited", lambda _: write())
    app.connect("autodoc-process-docstring", _as_rst, priority=1)
    return {"parallel_read_safe": True}


def write() -> None:
    """Write all pages whose code is newer than they are."""
    PAGES.mkdir(exist_ok=True)
    makers = {
        "order.md": order,
        "integers.md": integers,
        "equations.md": equations,
        "costs.md": costs,
        "settings.md": settings,
        "commands.md": commands,
        "hardware.md": hardware,
        "spaces.md": spaces,
        "outputs.md": outputs,
    }
    folders = ("fspinn", "memmodel", "quant", "datasets", "docs/_ext")
    sources = [
        path for folder in folders for path in (ROOT / folder).rglob("*.*") if path.suffix in (".py", ".toml")
    ]
    newest = max(path.stat().st_mtime for path in sources)
    for name, make in makers.items():
        page = PAGES / name
        if not page.exists() or page.stat().st_mtime < newest:
            page.write_text("\n".join(make()) + "\n", encoding="utf-8")


def order() -> Iterator[str]:
    """The order of events, to be included."""
    yield markdown(importlib.import_module("fspinn.network").__doc__, title=False)


def integers() -> Iterator[str]:
    """The arithmetic of integers, to be included."""
    yield markdown(importlib.import_module("fspinn.lowering.integers").__doc__, title=False)


def equations() -> Iterator[str]:
    """Every mechanism: its equation, its settings with unit and source, the code that computes it."""
    yield "# Equations\n"
    yield "Made from the docstrings of the classes. Potentials and thresholds are dimensionless: an input"
    yield "spike"
    yield "adds its weight. `dt` is `dt_ms`, and `fspinn` as a source is a choice of this project. Phases"
    yield "are those"
    yield "of [the order of events](../model.md#the-order-of-events).\n"
    for title, name in FAMILIES.items():
        module, _, family = name.rpartition(".")
        yield f"## {title}\n"
        yield f"Code: {', '.join(_links(module, KERNELS[name]))}\n"
        for one in (
            members(getattr(importlib.import_module(module), family)).values()
            if "Neuron" not in name
            else [importlib.import_module(module).Neuron]
        ):
            kind = getattr(one, "kind", None)
            yield f"### {one.__name__}" + (f": `{kind}`\n" if kind else "\n")
            yield markdown(one.__doc__, title=True) + "\n"
            yield from _settings_of(one)


def _links(module: str, names: tuple[str, ...]) -> Iterator[str]:
    first = Path(inspect.getsourcefile(importlib.import_module(module)) or "")
    paths = [first] + [
        path for name in names for folder in COMPUTING if (path := ROOT / "fspinn" / folder / name).exists()
    ]
    for path in dict.fromkeys(path.resolve() for path in paths):
        inside = path.relative_to(ROOT.resolve())
        yield f"[`{inside}`](../../{inside})"


def _settings_of(one: type[Any]) -> Iterator[str]:
    rows = []
    for each in fields(one) if is_dataclass(one) else ():
        known = each.metadata.get("setting")
        if known is None or (each.default is not MISSING and is_dataclass(each.default)):
            continue
        default = "none" if each.default is None else f"{each.default}"
        rows.append((f"`{known.name or each.name}`", known.help, default, known.unit, known.source))
    if rows:
        yield from _table(("setting", "what it is", "default", "unit", "source of the default"), rows)


def costs() -> Iterator[str]:
    """The cost model, from the docstrings of its modules."""
    yield "# Equations of the cost model\n"
    yield "Made from the docstrings of the modules. Energies are in picojoules, times in clock cycles,"
    yield "memories in"
    yield "bits.\n"
    for name in (
        "footprint",
        "accesses",
        "sram",
        "scaling",
        "energy",
        "latency",
        "pipeline",
        "column",
        "dense",
        "area",
        "program",
        "neurobench",
    ):
        module = importlib.import_module(f"fspinn.memmodel.{name}")
        first, _, rest = (module.__doc__ or "").strip().partition("\n")
        yield f"## {first}\n"
        yield f"Code: [`memmodel/{name}.py`](../../memmodel/{name}.py)\n"
        yield markdown(rest, title=True) + "\n"


def settings() -> Iterator[str]:
    """All settings of network and learner."""
    yield "# Settings\n"
    yield "What `fspinn info --settings` lists: every setting of a network, of a learner and of the"
    yield "readout, by the"
    yield "name that `--set name=value`, `--config` files, presets, model files and search spaces use. Of"
    yield "the second"
    yield "layer it is `layers.2.name`. Equations stand [by mechanism](equations.md).\n"
    rows = json.loads(_run(("info", "--settings", "--json")))["settings"]
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["belongs_to"] or "", []).append(row)
    for needs, several in groups.items():
        yield f"## Only with {needs}\n" if needs else "## Always\n"
        cells = []
        for row in several:
            also = "; ".join(f"{value} {start}" for start, value in row["other_defaults"].items())
            default = row["default"] + (f"; {also}" if also else "")
            cells.append(
                (f"`{row['name']}`", row["help"], default, row["unit"], row["allowed"], row["source"])
            )
        yield from _table(
            ("name", "what it is", "default", "unit", "allowed", "source of the default"), cells
        )


def commands() -> Iterator[str]:
    """All commands with all of their options."""
    from fspinn.cli import main

    yield "# Commands\n"
    yield 'What `fspinn COMMAND --help` says. Exit status 0 is done, 1 is "the answer is no", 2 is bad'
    yield "input, 3 a"
    yield "search that could not finish, 70 a fault of fspinn, 130 Ctrl-C.\n"
    yield from _command(main, "fspinn", 1)


def _command(command: click.Command, path: str, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    if depth > 1:
        yield f"{'#' * min(depth, 3)} {path}\n"
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```text\n{path} {usage}\n```\n"
        for block in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
            as_it_is = block.startswith("\b")  # click does not wrap these either
            yield f"```text\n{block[1:].strip(chr(10))}\n```\n" if as_it_is else f"{block}\n"
        rows = []
        for option in command.get_params(context):
            if isinstance(option, click.Option) and "--help" not in option.opts:
                option.hidden = False
                names, help = option.get_help_record(context) or ("", "")
                rows.append((f"`{names}`", help))
        if rows:
            yield from _table(("option", "what it does"), rows)
        if command.epilog:
            yield f"```text\n{inspect.cleandoc(command.epilog.replace(chr(8), ''))}\n```\n"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _command(inner, f"{path} {name}", depth + 1)


def hardware() -> Iterator[str]:
    """Presets of hardware, and the keys of a description."""
    from fspinn.memmodel import Hardware, hardware_names, load_hardware

    yield "# Hardware files\n"
    yield "Presets, as `fspinn hardware list` names them; `fspinn hardware show NAME` prints every number"
    yield "with its"
    yield "source.\n"
    presets = [load_hardware(name).meta for name in hardware_names()]
    yield from _table(
        ("name", "what it is", "how far to trust it"),
        [(f"`{m.name}`", m.description, m.confidence) for m in presets],
    )
    yield "## Keys of a TOML file\n"
    yield "A table for each heading. A value but those of `meta` has a line in `[sources]`, by its dotted"
    yield "key:"
    yield '`"clock.f_mhz" = "data sheet, table 3"`. [Your own hardware](../how-to/hardware.md) shows one.\n'
    yield from _tables_of(Hardware, "")


def _tables_of(cls: type[Any], prefix: str) -> Iterator[str]:
    hints = get_type_hints(cls, include_extras=True)
    optional = {each.name for each in fields(cls) if each.default is not MISSING}
    rows = []
    inner = []
    for name, hint in hints.items():
        kinds = (
            [hint]
            if get_origin(hint) is not None and hasattr(hint, "__metadata__")
            else [hint, *get_args(hint)]
        )
        table = next((one for one in kinds if is_dataclass(one)), None)
        if table is not None:
            inner.append((name, table))
        elif name != "sources":
            default = next(each.default for each in fields(cls) if each.name == name)
            there = "needed" if name not in optional else "none" if default is None else f"{default}"
            rows.append((f"`{name}`", _limits(hint), there))
    if rows:
        yield markdown(cls.__doc__, title=True) + "\n"
        yield from _table(("key", "allowed", "if it is left out"), rows)
    for name, table in inner:
        needed = "" if name in optional or prefix else " (needed)"
        yield f"### `[{prefix}{name}]`{needed}\n"
        yield from _tables_of(table, f"{prefix}{name}.")


def _limits(hint: Any) -> str:
    for one in (hint, *get_args(hint)):
        if get_origin(one) is tuple:
            return f"list of numbers, each {_limits(get_args(one)[0])}"
        if hasattr(one, "__metadata__"):
            kind, limits = get_args(one)
            if hasattr(limits, "low"):
                return f"{'whole number' if kind is int else 'number'}, {limits.low:g} to {limits.high:g}"
            return ", ".join(f"`{word}`" for word in limits)
    return "text"


def spaces() -> Iterator[str]:
    """What a space of a search may say."""
    from fspinn.search import candidates, space

    yield "# Space files\n"
    yield markdown(space.__doc__, title=True) + "\n"
    yield "Give the file to `fspinn search --space` or `fspinn tune --space`. What is not named keeps its"
    yield "default.\n"
    yield "## What is made of a trained network\n"
    yield markdown((candidates.Variant.__doc__ or "").partition("\nParameters")[0], title=True) + "\n"
    defaults = {each.name: each.default for each in fields(candidates.Variant)}
    rows = [
        (f"`{name}`", words, "none" if defaults[name] is None else str(defaults[name]))
        for name, words in _parameters(candidates.Variant).items()
    ]
    yield from _table(("name", "what it is", "default"), rows)
    yield "## What is trained\n"
    yield "Any [setting](settings.md) of network and learner but `weight_norm`:\n"
    yield ", ".join(f"`{name}`" for name in space.TRAINING_SETTINGS) + ".\n"
    yield "A range has `low` and `high`, and may have `step` or `log = true`; its numbers are whole if"
    yield "these are."
    yield f"There may be {space.MOST:,} combinations of listed values.\n"


def outputs() -> Iterator[str]:
    """Keys of JSON and columns of CSV, as small runs on the digits print them."""
    from PIL import Image

    import fspinn

    yield "# Keys of JSON and CSV\n"
    yield "What commands print with `--json`, and what they write, seen in small runs on the digits when"
    yield "this page"
    yield "was made. Keys are stable. `[]` stands for each element of a list, `*` for each number that is"
    yield "a key; a"
    yield "value is an example.\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "space.toml").write_text(SPACE)
        Image.fromarray(fspinn.datasets.load("digits").test.images[0]).save(Path(folder, "digit.png"))
        for command in OUTPUTS:
            answer = json.loads(_run((*command, "--json"), folder))
            yield f"## fspinn {command[0]}{' info' if command[0] == 'data' else ''} --json\n"
            known = _known(command[0])
            rows = {}
            for key, value in _keys(answer):
                words = (
                    ""
                    if any(table in f".{key}" for table in ELSEWHERE)
                    else known.get(key.rpartition(".")[2], "")
                )
                rows.setdefault(key, (f"`{key}`", words, f"`{value}`"))
            yield from _table(("key", "what it is", "example"), list(rows.values()))
        yield "## candidates.csv\n"
        yield "What `fspinn search` writes of every network that it considered, a line each.\n"
        head, first = Path(folder, "result", "candidates.csv").read_text().splitlines()[:2]
        (values,) = csv.reader([first])
        columns = [
            (f"`{name}`", _known("search").get(name, ""), f"`{value[:40]}`" if value else "")
            for name, value in zip(head.split(","), values, strict=True)
        ]
        yield from _table(("column", "what it is", "example"), columns)


def _run(words: tuple[str, ...], folder: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fspinn", *words], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"fspinn {' '.join(words)}: {done.stderr}")
    return done.stdout


def _keys(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        numbered = all(re.fullmatch(r"\d+|\d+,\d+", str(key)) for key in value)
        for key, inner in value.items():
            yield from _keys(inner, f"{prefix}.{'*' if numbered else key}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        yield from _keys(value[0], f"{prefix}[]")
    else:
        text = json.dumps(value)
        yield prefix, text if len(text) <= 40 else text[:37] + "..."


def _known(command: str) -> dict[str, str]:
    """Return what the classes behind a command say of their parameters, by name."""
    found: dict[str, str] = {}
    for module in DOCUMENTED.get(command, ()):
        found |= _documented(f"fspinn.{module}")
    return found


def _documented(module: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in vars(importlib.import_module(module)).values():
        if inspect.isclass(one) and one.__module__ == module:
            found |= _parameters(one)
            for name, member in vars(one).items():
                if isinstance(member, property) and member.__doc__:
                    found.setdefault(name, member.__doc__.splitlines()[0])
    return found


def _parameters(cls: type[Any]) -> dict[str, str]:
    """Return what the docstring of a class says of its parameters, by name."""
    _, _, listed = inspect.cleandoc(cls.__doc__ or "").partition("Parameters\n----------\n")
    found: dict[str, str] = {}
    for names, words in re.findall(r"^(\w[\w, ]*) :[^\n]*\n((?:    [^\n]*\n?)*)", listed, re.M):
        for name in names.split(", "):
            found[name] = " ".join(words.split())
    return found


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    yield ""


def _cell(text: str) -> str:
    text = " ".join(str(text).split()).replace("|", "\\|")
    return text if "`" in text else re.sub(r"([<*_\[])", r"\\\1", text)


_EQUATION = re.compile(r"^\S.*(\+=|-=|\*=| = |spikes where)")


def markdown(docstring: str | None, title: bool) -> str:
    """Return a docstring as Markdown, with equations as code, and with its first paragraph or without."""
    text = inspect.cleandoc(docstring or "").partition("\nParameters\n------")[0]
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_block(block) for block in blocks[0 if title else 1 :])


def _block(block: str) -> str:
    lines = block.split("\n")
    if not lines[0].startswith((" ", "-", "*", "1")) and all(map(_EQUATION.match, lines)):
        return "```text\n" + block + "\n```"
    if all(line.startswith("    ") for line in lines):
        return "```text\n" + inspect.cleandoc("\n" + block) + "\n```"
    return block


def _as_rst(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Make blocks of equations in docstrings literal blocks, before numpydoc reads them."""
    text, parameters, rest = "\n".join(lines).partition("\nParameters\n------")
    blocks = []
    for block in re.split(r"\n[ ]*\n", text):
        inner = block.split("\n")
        if (
            inner[0]
            and not inner[0].startswith((" ", "-", "*", ">", ".", "1"))
            and all(map(_EQUATION.match, inner))
        ):
            block = "::\n\n" + "\n".join(f"    {line}" for line in inner)
        elif inner[0] and all(line.startswith("    ") for line in inner if line):
            block = "::\n\n" + block
        blocks.append(block)
    lines[:] = ("\n\n".join(blocks) + parameters + rest).split("\n")
