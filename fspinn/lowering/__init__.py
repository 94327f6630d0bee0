"""How does a model become integers? Formats, passes, and the arithmetic that all backends share."""

from fspinn.lowering.post_training import quantize

__all__ = ["quantize"]
