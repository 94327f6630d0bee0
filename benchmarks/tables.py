"""Tables of the benchmarks: printed, and put into the README between its markers."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numba
import numpy as np

import fspinn

README = Path(__file__).parent.parent / "README.md"


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


def publish(name: str, text: str) -> None:
    """Print a table, and with ``--write`` put it between its markers in the README."""
    print(text)
    if "--write" not in sys.argv:
        return
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = README.read_text(encoding="utf-8").split(start)
    _, after = rest.split(end)
    README.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
