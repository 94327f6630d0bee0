"""Which integers stand for these numbers? Formats, rounding, packing; numbers only."""

from fspinn.quant.formats import Format

__all__ = ["Format"]
