"""The version of fspinn."""

__version__ = "0.1.0"
