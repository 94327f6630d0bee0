"""Pages about what is computed: the order of events, integers, equations and costs, from docstrings."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

from pages import ROOT, markdown, table

from fspinn.network.rules import Stdp

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


FUNCTIONS = {
    "Labels tune a column": ("fspinn/learning/labels.py", None),
    "An ANN becomes a spiking network": ("fspinn/learning/surrogate/conversion.py", None),
    "Readouts": ("fspinn/model/readout.py", "fit"),
    "Readouts of few bits": ("fspinn/model/rounded_readout.py", None),
    "Number formats": ("quant/formats.py", None),
}
"""Headings, and the files or functions in them whose docstrings say what they compute."""

COMPUTING = ("network", "backends/numba", "backends/brian2", "learning", "learning/surrogate")


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
    yield "spike adds its weight. `dt` is `dt_ms`, and `fspinn` as a source is a choice of this project."
    yield "Phases are those of [the order of events](../model.md#the-order-of-events).\n"
    for title, name in FAMILIES.items():
        module, _, family = name.rpartition(".")
        yield f"## {title}\n"
        yield f"Code: {', '.join(_links(module, KERNELS[name]))}\n"
        union = getattr(importlib.import_module(module), family)
        for one in get_args(union) or (union,):
            if one is Stdp and family != "Stdp":
                continue
            kind = getattr(one, "kind", None)
            yield f"### {one.__name__}" + (f": `{kind}`\n" if kind else "\n")
            yield markdown(one.__doc__, title=True) + "\n"
            yield from _settings_of(one)

    for title, (path, function) in FUNCTIONS.items():
        tree: ast.Module | ast.FunctionDef = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        if function is not None:
            (tree,) = (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == function)
        yield f"## {title}\n"
        yield f"Code: [`{path}`](../../{path})\n"
        yield markdown(ast.get_docstring(tree), title=True) + "\n"


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
    inherited = {each.name for each in fields(Stdp)} if issubclass(one, Stdp) and one is not Stdp else set()
    if inherited:
        yield "Its settings are those of `Stdp`, and\n"
    for each in fields(one) if is_dataclass(one) else ():
        known = each.metadata.get("setting")
        if known is None or each.name in inherited or is_dataclass(each.default):
            continue
        default = "none" if each.default is None else f"{each.default}"
        rows.append((f"`{known.name or each.name}`", known.help, default, known.unit, known.source))
    if rows:
        yield from table(("setting", "what it is", "default", "unit", "source of the default"), rows)


def costs() -> Iterator[str]:
    """The cost model, from the docstrings of its modules."""
    yield "# Equations of the cost model\n"
    yield "Made from the docstrings of the modules. Energies are in picojoules, times in clock cycles,"
    yield "memories in bits.\n"
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
