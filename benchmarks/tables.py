"""Results of the benchmarks: kept as files, printed as tables, put into a page between its markers."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np

import fspinn
from fspinn.base.files import replaced_when_whole
from fspinn.datasets import Dataset, Split
from fspinn.datasets.arrays import as_dataset

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md", ROOT / "docs" / "install.md")
"""Each benchmark has its table in one of these."""

RESULTS = Path(__file__).parent / "results"

Results = dict[str, dict[str, Any]]
"""What was measured, by the parts of a benchmark: settings, seeds, figures and the machine."""


def machine() -> str:
    """Return one line that names the machine and the versions."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0] if names else processor
    return (
        f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, Numba {numba.__version__}, fspinn {fspinn.__version__}"
    )


def spread(values: Sequence[float], text: str = "{:.2f}") -> str:
    """Return mean and standard deviation over seeds, or the value if there is one."""
    mean = text.format(np.mean(values))
    return mean if len(values) == 1 else f"{mean} ± {text.format(np.std(values, ddof=1))}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def measured_on(learned_from: Split, asked: Split, seed: int) -> Dataset:
    """Return a data set whose validation split is what is asked, so that everything can be measured on it."""
    whole = as_dataset(learned_from)
    return replace(whole, validation=asked, test=asked, seed=seed)


def run(
    name: str,
    parts: Sequence[str],
    measure: Callable[[str], dict[str, Any]],
    render: Callable[[Results], str],
    draw: Callable[[Results], None] | None = None,
) -> None:
    """Be the command line of a benchmark: measure parts of it, keep what came out, print its table.

    ``python benchmarks/NAME.py [PART ...] [--write]`` measures the parts that are named, all if there is
    none, and keeps each in ``results/NAME/PART.json``. With ``--write`` the table goes into its page as
    well; alone, ``--write`` measures nothing. A benchmark that can ``draw`` writes its picture then, too.
    """
    parser = argparse.ArgumentParser(description=f"Measure, and print the table made from results/{name}/.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of {', '.join(parts)}; all if none is named"
    )
    parser.add_argument("--write", action="store_true", help="into its page; alone, it measures nothing")
    given = parser.parse_args()
    for part in given.parts:
        if part not in parts:
            parser.error(f"there is no part {part!r}; use some of {', '.join(parts)}")
    for part in given.parts or ([] if given.write else parts):
        keep(name, part, {**measure(part), "machine": machine()})
    results = kept(name, parts)
    if results:
        print(render(results))
    if missing := [part for part in parts if part not in results]:
        print(f"not measured yet: python benchmarks/{name}.py {' '.join(missing)}", file=sys.stderr)
        if given.write:
            sys.exit("the page is left as it was")
    elif given.write:
        page, before, _, after = block_of(name)
        page.write_text(f"{before}{render(results)}{after}", encoding="utf-8")
        if draw is not None:
            draw(results)


def keep(name: str, part: str, result: dict[str, Any]) -> None:
    """Write the result of one part of a benchmark to its file."""
    path = RESULTS / name / f"{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_when_whole(path) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def kept(name: str, parts: Sequence[str]) -> Results:
    """Return the results of those parts of a benchmark that have some, in the order of the parts."""
    paths = {part: RESULTS / name / f"{part}.json" for part in parts}
    return {part: json.loads(path.read_text("utf-8")) for part, path in paths.items() if path.exists()}


def machines(results: Results) -> str:
    """Return the machines that measured these results, each once."""
    return "; ".join(dict.fromkeys(result["machine"] for result in results.values()))


def seeds(results: Results) -> str:
    """Return the seeds of the results; all have the same."""
    (several,) = {tuple(result["seeds"]) for result in results.values()}
    return ", ".join(map(str, several))


def block_of(name: str) -> tuple[Path, str, str, str]:
    """Return the page of a benchmark's table, and what it holds before, between and after the markers."""
    start, end = f"<!-- benchmarks/{name}.py -->\n", f"\n<!-- end of benchmarks/{name}.py -->"
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    pages = [page for page, text in texts.items() if start in text]
    if len(pages) != 1 or texts[pages[0]].count(start) != 1 or texts[pages[0]].count(end) != 1:
        names = " or ".join(page.name for page in PAGES)
        sys.exit(f"{names}: put <!-- benchmarks/{name}.py --> and its end once where the table belongs")
    before, rest = texts[pages[0]].split(start)
    block, after = rest.split(end)
    return pages[0], before + start, block, end + after
