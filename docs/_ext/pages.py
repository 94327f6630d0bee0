"""What all pages that are made from the code share: Markdown of docstrings, tables, runs of commands."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    yield ""


def _cell(text: str) -> str:
    text = " ".join(str(text).split()).replace("|", "\\|")
    return text if "`" in text else re.sub(r"([<*_])", r"\\\1", text)


EQUATION = re.compile(r"^\S.*(\+=|-=|\*=| = |spikes where)")


def markdown(docstring: str | None, title: bool) -> str:
    """Return a docstring as Markdown, with equations as code, and with its first paragraph or without."""
    text = inspect.cleandoc(docstring or "").partition("\nParameters\n------")[0]
    first, *others = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join([first] * title + [_block(block) for block in others])


def _block(block: str) -> str:
    lines = block.split("\n")
    if not lines[0].startswith((" ", "-", "*", "1")) and all(map(EQUATION.match, lines)):
        return "```text\n" + block + "\n```"
    if all(line.startswith("    ") for line in lines):
        return "```text\n" + inspect.cleandoc("\n" + block) + "\n```"
    return block


def run(words: tuple[str, ...], folder: str | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fspinn", *words], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"fspinn {' '.join(words)}: {done.stderr}")
    return done.stdout


def parameters(cls: type[Any]) -> dict[str, str]:
    """Return what the docstring of a class says of its parameters, by name."""
    _, _, listed = inspect.cleandoc(cls.__doc__ or "").partition("Parameters\n----------\n")
    found: dict[str, str] = {}
    for names, words in re.findall(r"^(\w[\w, ]*) :[^\n]*\n((?:    [^\n]*\n?)*)", listed, re.M):
        for name in names.split(", "):
            found[name] = " ".join(words.split())
    return found
