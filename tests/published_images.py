"""Where the images of published data sets are; tests that need some are skipped where they are missing."""

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("FSPINN_DATA_DIR")
"""As it was when the tests started: some of them change the environment."""


def skip_without(name):
    """Skip the test that calls this, or uses the fixture that does, unless the images are there."""
    if not FOLDER or not (Path(FOLDER) / name).is_dir():
        pytest.skip(f"set FSPINN_DATA_DIR to a folder that holds {name}/")


def user_file(path):
    """Return the path of a file in there that is read as a user's own; the test is skipped without it."""
    if not FOLDER or not (Path(FOLDER) / path).is_file():
        pytest.skip(f"set FSPINN_DATA_DIR to a folder that holds {path}")
    return Path(FOLDER) / path
