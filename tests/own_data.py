"""A user's own data, as tests of readers save and refuse it."""

from dataclasses import fields

import numpy as np
import pytest

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.datasets import Reading

ASKED = {each.name for each in fields(Reading)}


def saver(path):
    """Return a function that saves arrays in an .npz file, and returns its path."""

    def save(**arrays):
        np.savez(path, **arrays)
        return path

    return save


def refusal(path, error=DataError, **options):
    """Return the one line, with its fix, in which data are refused; options of `Reading` or of `load`."""
    asked = {name: options.pop(name) for name in ASKED & options.keys()}
    with pytest.raises(error) as caught:
        datasets.load(path, reading=Reading(**asked), **options)
    message = str(caught.value)
    assert "; " in message, "the fix stands after a semicolon"
    assert "\n" not in message
    return message
