"""Hundreds of searches fit the same classifiers without spikes; here each is fitted once in a process."""

import hashlib
from functools import wraps

import numpy as np
import pytest

from fspinn.search import smallest


def _once(fit):
    found = {}

    @wraps(fit)
    def fitted(samples, *args, **options):
        parts = [np.ascontiguousarray(part).tobytes() for part in samples]
        key = (hashlib.sha256(b"".join(parts)).digest(), repr(args), repr(options))
        if key not in found:
            found[key] = fit(samples, *args, **options)
        return found[key]

    return fitted


@pytest.fixture(scope="session", autouse=True)
def _classifiers_are_fitted_once():
    with pytest.MonkeyPatch.context() as patched:
        for name in ("linear_classifiers", "wide_enough"):
            patched.setattr(smallest, name, _once(getattr(smallest, name)))
        yield
