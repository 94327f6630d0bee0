"""What an installation weighs: megabytes and import times of the packages that fspinn builds on.

    python benchmarks/install.py [--write]

Measures the environment that it runs in, so all extras have to be there.
"""

import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tables import Results, machines, run, table

EXTRAS = ("", "surrogate", "cluster", "nir", "events")

MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}
"""What is imported of a package, where it has another name."""

WHAT_FOR = {
    "brian2": "`--engine brian2`, the reference; equations of a network",
    "click": "the command line",
    "h5py": "model files, checkpoints",
    "jinja2": "the page about a search",
    "matplotlib": "pictures",
    "numba": "compiles the engine, without a compiler on your machine",
    "numpy": "all arrays",
    "optuna": "`--strategy bayes`, importance of settings",
    "pillow": "pictures as samples",
    "platformdirs": "where downloads are kept",
    "pooch": "downloads, with their SHA-256",
    "requests": "downloads",
    "rich": "progress, tables in the terminal",
    "scikit-learn": "the built-in digits, linear readouts, `fspinn.sklearn`",
    "scipy": "intervals, sparse responses",
    "threadpoolctl": "one thread of BLAS for each worker",
    "torch": "learners `surrogate` and `hybrid`",
    "dask": "searches on a cluster",
    "distributed": "searches on a cluster",
    "nir": "`fspinn export --target nir`",
    "tonic": "recordings by name (`tonic:NMNIST`); GPL-3, imported for such names only",
}


def asked(extra: str) -> list[str]:
    """Return the packages that fspinn asks for, or those that an extra adds."""
    found = [Requirement(line) for line in requires("fspinn") or []]
    if not extra:
        return sorted({one.name for one in found if one.marker is None or one.marker.evaluate({"extra": ""})})
    return [
        one.name
        for one in found
        if one.marker is not None
        and one.marker.evaluate({"extra": extra})
        and not one.marker.evaluate({"extra": ""})
    ]


def closure(name: str, known: set[str]) -> set[str]:
    """Return a package and all that it asks for."""
    name = canonicalize_name(name)
    if name in known:
        return known
    known.add(name)
    for line in requires(name) or []:
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            closure(one.name, known)
    return known


def megabytes(name: str) -> float:
    """Return the size of a package's own files."""
    found = distribution(name)
    paths = {Path(str(found.locate_file(file))) for file in found.files or []}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def import_s(module: str) -> float:
    """Return the processor time of an import in a new process, the least of three."""
    code = f"import time; start = time.process_time(); import {module}; print(time.process_time() - start)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )


def row(extra: str, name: str) -> dict[str, Any]:
    """Return what one package weighs."""
    return {
        "extra": extra,
        "name": name,
        "own": megabytes(name),
        "all": sum(megabytes(one) for one in closure(name, set())),
        "import_s": import_s(MODULES.get(name, name)),
    }


def measure(part: str) -> dict[str, Any]:
    rows = [row(extra, name) for extra in EXTRAS for name in asked(extra)]
    every = set().union(*(closure(name, set()) for name in asked("")))
    return {"rows": rows, "without_extras": sum(megabytes(name) for name in every)}


def render(results: Results) -> str:
    (result,) = results.values()
    rows = [
        [
            row["name"] if not row["extra"] else f"{row['name']} (`fspinn[{row['extra']}]`)",
            WHAT_FOR[row["name"]],
            f"{row['own']:.1f}",
            f"{row['all']:.1f}",
            f"{row['import_s']:.2f}",
        ]
        for row in result["rows"]
    ]
    head = ["package", "for", "its own files (MB)", "with all that it needs (MB)", "import (s)"]
    return (
        f"{table(head, rows)}\n\n"
        f"Without extras {result['without_extras']:.0f} MB in all: packages share much of what they need. "
        "Each is imported where it is used: `fspinn --help` and `import fspinn` wait for none of the large "
        "ones. Import times are processor time in a new process, what a package itself needs included; torch "
        f"is the wheel for the CPU, that with CUDA is several times as large. {machines(results)}."
    )


if __name__ == "__main__":
    run("install", ("environment",), measure, render)
