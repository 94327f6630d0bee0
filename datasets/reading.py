"""How are files read that can be read in several ways? As they are, unless something else is asked for."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.checks import whole_number
from fspinn.base.errors import ConfigError
from fspinn.datasets.mapped import Images, in_pieces

_MOST = 1 << 20
# The weights of red, green and blue in brightness (ITU-R 601-2) in 1/65536, as Pillow rounds them.
_GREY = np.array([19595, 38470, 7471], dtype=np.uint32)


@dataclass(frozen=True)
class Reading:
    """What is asked for beyond what files hold; nothing by default.

    Parameters
    ----------
    resize : tuple of int or None, default None
        Height and width that all images are brought to (bilinear, averaged where they shrink).
    grey : bool, default False
        Whether colours become grey: 0.299 red + 0.587 green + 0.114 blue.
    length : int or None, default None
        Values of each signal: longer ones are cut, shorter ones padded with their silence.
    label : str or None, default None
        Column of a CSV file that names the class; None is ``label``.
    shape : tuple of int or None, default None
        Height and width, and perhaps channels, of the images that the rows of a CSV file are; None makes
        them signals.
    features : tuple of str or None, default None
        Names of the numbers beside the samples that a readout is to listen to, columns of a CSV file; () is
        none. None is all that the files call features, which a CSV file does not.
    columns : tuple of str or None, default None
        Columns of a CSV file that are the values, in this order; None takes them as they stand. A `Dataset`
        of a CSV file knows those that it was read from, and so does a model that was trained on it.

    Raises
    ------
    ConfigError
        If a value makes no sense.
    """

    resize: tuple[int, int] | None = None
    grey: bool = False
    length: int | None = None
    label: str | None = None
    shape: tuple[int, ...] | None = None
    features: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, value, lengths in (("resize", self.resize, (2,)), ("shape", self.shape, (2, 3))):
            if value is None:
                continue
            if not isinstance(value, tuple | list) or len(value) not in lengths:
                raise ConfigError(f"{name}: {value!r} is not height and width; give both, such as 28x28")
            object.__setattr__(self, name, tuple(whole_number(name, number, 1, _MOST) for number in value))
        if self.columns is not None:
            object.__setattr__(self, "columns", tuple(map(str, self.columns)))
        if self.length is not None:
            whole_number("length", self.length, 1, _MOST)
        if self.features is not None:
            names = (self.features,) if isinstance(self.features, str) else tuple(self.features)
            if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
                raise ConfigError(
                    f"features: {', '.join(map(str, names))}: these are not names of columns, each once; "
                    "give each name once"
                )
            object.__setattr__(self, "features", names)

    @property
    def asked(self) -> dict[str, Any]:
        """What differs from reading files as they are, by name, in values that fit in JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        asked = {name: value for name, value in values.items() if value not in (None, False)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}

    def refuse(self, names: tuple[str, ...], where: str, why: str) -> None:
        """Raise `ConfigError`, which says why, if one of these is asked for."""
        for name in names:
            if name in self.asked:
                raise ConfigError(f"{name}: {where} {why}; leave --{name} out")

    def images(self, images: Images, images_from: str) -> Images:
        """Return images in grey and of the size that is asked for."""
        colours = images.shape[3] if images.ndim == 4 else 1
        if self.grey and colours not in (1, 3):
            raise ConfigError(
                f"grey: {images_from} has {colours} channels, not red, green and blue; leave --grey out"
            )
        if not (self.grey and colours > 1) and self.resize in (None, images.shape[1:3]):
            return images
        return np.concatenate([self._some(piece) for piece in in_pieces(images)])

    def _some(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.grey and images.ndim == 4:
            images = ((images @ _GREY + 0x8000) >> 16).astype(np.uint8)
        if self.resize in (None, images.shape[1:3]):
            return images
        return np.stack([_resized(image, self.resize) for image in images])


def _resized(image: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    from PIL import Image

    if size is None:
        return image
    if image.ndim == 3 and image.shape[2] != 3:
        return np.stack([_resized(channel, size) for channel in np.moveaxis(image, -1, 0)], axis=-1)
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
