"""Which integers stand for these numbers? Formats, rounding, quantization of trained networks."""

from typing import TYPE_CHECKING, Any

from fspinn.quant.formats import Format

if TYPE_CHECKING:
    from fspinn.quant.post_training import quantize

__all__ = ["Format", "quantize"]


def __getattr__(name: str) -> Any:
    # Not imported above: fspinn.trained needs the formats, and post_training needs fspinn.trained.
    if name == "quantize":
        from fspinn.quant.post_training import quantize

        return quantize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
