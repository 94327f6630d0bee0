"""Which networks are there to choose from, and what does each take?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fspinn.errors import ConfigError
from fspinn.memmodel import Size, memory_bits
from fspinn.model import Network
from fspinn.quant.formats import Format

SIZES = (10, 16, 25, 50, 100, 200, 400, 900, 1600, 2500, 3600, 4900)
"""Numbers of neurons: FSpiNN's from 100 on, and smaller ones for small jobs."""

WEIGHTS = ("UQ0.2", "UQ0.3", "UQ0.4", "UQ0.8", "float32")
"""Formats of the weights."""

READOUTS = ("proportion", "majority", "linear")
"""Readouts whose memory is known before anything is trained; that of ``ngram`` is not."""

ACCOUNTING = "structure-aware"
"""The accounting that a memory budget means: what a device has to hold."""

_UNITS = {"b": 1, "kb": 10**3, "kib": 2**10, "mb": 10**6, "mib": 2**20}


@dataclass(frozen=True)
class Candidate:
    """One network that could be the answer.

    Parameters
    ----------
    neurons : int
    weights : str
        Format of the weights, or ``"float32"``.
    readout : str
    memory_bits : int
        Memory for inference in the structure-aware accounting, readout included.
    """

    neurons: int
    weights: str
    readout: str
    memory_bits: int


def candidates(
    network: Network,
    n_inputs: int,
    n_classes: int,
    sizes: Sequence[int] = SIZES,
    weights: Sequence[str] = WEIGHTS,
    readouts: Sequence[str] = READOUTS,
) -> list[Candidate]:
    """Return all combinations of size, format and readout, the one with the least memory first."""
    found = []
    for neurons in sizes:
        for name in weights:
            for readout in readouts:
                size = Size.of_network(
                    replace(network, neurons=neurons),
                    n_inputs=n_inputs,
                    n_classes=n_classes,
                    weight_bits=32 if name == "float32" else Format.parse(name).bits,
                    readout=readout,
                    readout_bits=32 if name == "float32" else 8,
                )
                bits = memory_bits(size, training=False, accounting=ACCOUNTING)
                found.append(Candidate(neurons, name, readout, bits))
    return sorted(found, key=lambda candidate: (candidate.memory_bits, candidate.neurons))


def parse_memory(text: str) -> int:
    """Return the number of bits that a text such as ``256KiB``, ``32 kB`` or ``8192`` (bytes) means.

    Raises
    ------
    ConfigError
        If the text is no amount of memory, or less than one byte.

    Examples
    --------
    >>> parse_memory("256KiB")
    2097152
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    unit = match.group(2).lower() or "b" if match else ""
    if match is None or unit not in _UNITS:
        raise ConfigError(
            f"memory: {text!r} is no amount of memory; write it like 256KiB, 1.5MB or 8192B (bytes)"
        )
    bits = int(float(match.group(1)) * _UNITS[unit] * 8)
    if bits < 8:
        raise ConfigError(f"memory: {text!r} is less than one byte; write it like 256KiB")
    return bits


def format_memory(bits: int) -> str:
    """Return a number of bits in KiB, for people.

    >>> format_memory(8192 * 12)
    '12.0 KiB'
    """
    return f"{bits / 8192:.1f} KiB"
