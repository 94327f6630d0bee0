"""How do the encoders of `fspinn.network.inputs` make spikes? Compiled, the same way for every backend."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.base.settings import members
from fspinn.network import contrast_kernels
from fspinn.network import encoder_kernels as kernels
from fspinn.network.description import Network
from fspinn.network.field_kernels import gather, sort_each_step, sort_first_spikes
from fspinn.network.geometry import Geometry
from fspinn.network.inputs import Contrast, Encoder, Events, FirstSpike, NoContrast, Unscaled, block_of
from fspinn.network.recordings import Binnable, Samples

ENCODERS = tuple(kind for kind in members(Encoder) if kind != Events.kind)
"""Encoders of images; their places are the numbers that kernels and C know them by."""

CONTRASTS = tuple(members(Contrast))
"""Their places are the numbers that kernels and C know them by."""

_LEAST = 2**16
"""Spikes that an encoder has room for at least."""


@dataclass(frozen=True, eq=False)
class Spikes:
    """Input spikes of n presentations, sorted by presentation and step.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n, steps + 1)
        The inputs that spike in step t of presentation m are ``inputs[offsets[m, t]:offsets[m, t + 1]]``.
    inputs : ndarray of int32, shape (n_spikes,)
        Which inputs spike; within a step in rising order.
    seed, first : int
        Of the run that they belong to, and number of the first presentation in it.
    """

    offsets: NDArray[np.int64]
    inputs: NDArray[np.int32]
    seed: int = 0
    first: int = 0

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def steps(self) -> int:
        """Time steps of a presentation."""
        return int(self.offsets.shape[1] - 1)

    @property
    def events(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Time step, counted from the start of the first presentation, and input of each spike."""
        steps = np.repeat(np.arange(len(self) * self.steps), np.diff(self.offsets).reshape(-1))
        first = self.offsets[0, 0] if len(self) else 0
        return steps, self.inputs[first : first + len(steps)]

    @classmethod
    def first_of(cls, first_steps: NDArray[np.int32], steps: int, seed: int, first: int) -> "Spikes":
        """Return one spike of each feature of a layer, in the step of its first.

        Parameters
        ----------
        first_steps : ndarray of int32, shape (n, features)
            `steps` where a feature did not spike.
        steps, seed, first : int
        """
        offsets = np.zeros((len(first_steps), steps + 1), dtype=np.int64)
        inputs = np.empty(first_steps.size, dtype=np.int32)
        sort_first_spikes(first_steps, offsets, inputs)
        return cls(offsets, inputs, seed, first)

    @classmethod
    def each_step(
        cls,
        spikes_of: NDArray[np.int64],
        spike_steps: NDArray[np.int32],
        spike_features: NDArray[np.int32],
        shape: tuple[int, int],
        seed: int,
        first: int,
    ) -> "Spikes":
        """Return one spike of each feature of a layer in each step in which it spiked.

        Parameters
        ----------
        spikes_of : ndarray of int64, shape (n,)
            How many spikes each presentation has.
        spike_steps, spike_features : ndarray of int32, shape (n_spikes,)
            Step and feature of each, one presentation after the other.
        shape : tuple of int
            Steps of a presentation, and features.
        seed, first : int
        """
        offsets = np.zeros((len(spikes_of), shape[0] + 1), dtype=np.int64)
        inputs = np.empty(len(spike_steps), dtype=np.int32)
        spiked = np.zeros(shape, dtype=np.bool_)
        used = sort_each_step(spikes_of, spike_steps, spike_features, spiked, offsets, inputs)
        return cls(offsets, inputs[:used], seed, first)

    def counts(self, inputs: int) -> NDArray[np.int64]:
        """Return how often each of so many inputs spikes in each presentation, shape (n, inputs)."""
        steps, spiking = self.events
        places = steps // self.steps * inputs + spiking
        return np.bincount(places, minlength=len(self) * inputs).reshape(len(self), inputs)

    def seen_from(self, geometry: Geometry, position: int) -> "Spikes":
        """Return what a position of a field sees: the spikes of the inputs of its field."""
        most = int(self.offsets[-1, -1] - self.offsets[0, 0]) if len(self) else 0
        offsets, inputs = np.zeros_like(self.offsets), np.empty(most, dtype=np.int32)
        where = (geometry.places, geometry.corners, geometry.field, geometry.channels)
        last = 0
        for m in range(len(self)):
            offsets[m, 0] = last
            last = gather(self.offsets[m], self.inputs, where, position, offsets[m], inputs)
        return Spikes(offsets, inputs, self.seed, self.first)

    def lengthened(self, steps: int) -> "Spikes":
        """Return presentations that are longer by some time steps without input."""
        if steps == 0:
            return self
        return replace(self, offsets=np.pad(self.offsets, ((0, 0), (0, steps)), mode="edge"))

    def part(self, start: int, stop: int) -> "Spikes":
        """Return some of the presentations; nothing is copied."""
        return Spikes(self.offsets[start:stop], self.inputs, self.seed, self.first + start)


class ContrastNumbers(NamedTuple):
    """Numbers of a `fspinn.network.Contrast`, for kernels and C; what it does not have is 0."""

    kind: int
    channels: int
    radius: int
    gain: int
    step: int
    step_gain: int
    colours: int

    @classmethod
    def of(cls, contrast: Contrast) -> "ContrastNumbers":
        """Return those of a contrast."""
        gain, step, step_gain = (getattr(contrast, name, 0) for name in ("gain", "step", "step_gain"))
        colours, kind = int(getattr(contrast, "of", "") == "colours"), CONTRASTS.index(contrast.kind)
        return cls(kind, contrast.channels, contrast.radius, gain, step, step_gain, colours)


AS_IT_IS = ContrastNumbers.of(NoContrast())
"""Nothing is split."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """What an encoder needs to know of a network.

    Parameters
    ----------
    encoder : str
        One of `ENCODERS`, or ``"events"``.
    rate_per_step : float
        Euclidean norm of all rates, or with ``"unscaled"`` the rate of the brightest pixel.
    most_spikes : int
        For ``"ttfs"``: so many pixels spike at most.
    steps : int
        Time steps of a presentation.
    input_mask : ndarray of bool, shape (n_inputs,), or None, default None
        Which inputs are used; the others do not spike. None is all.
    white : bool, default False
        For ``"ttfs"``: whether intensities are compared with 255, not with the brightest.
    contrast : ContrastNumbers, default AS_IT_IS
        What intensities are first split into.
    step_us : int, default 0
        For ``"events"``: microseconds of a time step.
    needs_whole_sample : bool, default True
        Whether the first spike depends on the last pixel.
    pool : int, default 1
        Edge of the blocks of pixels whose means are taken first.
    """

    encoder: str
    rate_per_step: float
    most_spikes: int
    steps: int
    input_mask: NDArray[np.bool_] | None = None
    white: bool = False
    contrast: ContrastNumbers = AS_IT_IS
    step_us: int = 0
    needs_whole_sample: bool = True
    pool: int = 1

    @property
    def number(self) -> int:
        """Number of the encoder, for kernels and C."""
        return ENCODERS.index(self.encoder)


def encoding_of(network: Network, input_mask: NDArray[np.bool_] | None = None) -> Encoding:
    """Return what an encoder needs to know of a network."""
    encoder, rate_hz, most_spikes = network.encoder, 0.0, 2**31
    if isinstance(encoder, FirstSpike):
        most_spikes = encoder.spikes or most_spikes
    elif not isinstance(encoder, Events):
        rate_hz = encoder.max_rate_hz if isinstance(encoder, Unscaled) else encoder.rate_norm_hz
    rate_per_step = rate_hz * network.dt_ms / 1000.0
    white = isinstance(encoder, FirstSpike) and encoder.relative_to == "white"
    contrast = ContrastNumbers.of(network.contrast)
    numbers = rate_per_step, most_spikes, network.steps, input_mask, white, contrast, network.step_us
    return Encoding(encoder.kind, *numbers, needs_whole_sample=encoder.needs_whole_sample, pool=network.pool)


def intensities(images: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.uint8]:
    """Return what is encoded of images: the means of blocks, split into the channels of the contrast.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, channels)
    encoding : Encoding

    Returns
    -------
    ndarray of uint8, shape (n, rows of blocks, columns of blocks, channels)
    """
    return split_channels(pooled(images, encoding.pool), encoding.contrast)


def pooled(images: NDArray[np.uint8], pool: int) -> NDArray[np.uint8]:
    """Return the mean of each block of pixels and channel, rounded to nearest, of a half up.

    Of n pixels it is ``(sum + n // 2) // n``.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, channels)
    pool : int
        As `fspinn.Network` has it.

    Raises
    ------
    ConfigError
        If blocks do not fill an image.
    """
    if pool == 1:
        return images
    rows, columns = block_of(pool, images.shape[1:])
    four = np.ascontiguousarray(images if images.ndim == 4 else images[..., None])
    n, height, width, channels = four.shape
    means = np.empty((n, height // rows, width // columns, channels), dtype=np.uint8)
    contrast_kernels.mean_blocks(four, means)
    return means.reshape(*means.shape[:3], *images.shape[3:])


def split_channels(images: NDArray[np.uint8], how: ContrastNumbers) -> NDArray[np.uint8]:
    """Return the channels that a `fspinn.network.Contrast` splits those of images into.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, channels)
    how : ContrastNumbers

    Returns
    -------
    ndarray of uint8, shape (n, height, width, how.channels * channels)
    """
    four = np.ascontiguousarray(images if images.ndim == 4 else images[..., None])
    if how == AS_IT_IS:
        return four
    if how.colours:
        opposed = np.empty_like(four)
        contrast_kernels.oppose_colours(four, opposed)
        four = opposed
    split = np.empty((*four.shape[:3], how.channels * four.shape[3]), dtype=np.uint8)
    contrast_kernels.split_contrast(four, tuple(how)[:-1], split)
    return split


class BatchEncoder:
    """Makes spikes of images or recordings, into memory that is kept from call to call.

    Parameters
    ----------
    encoding : Encoding
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._inputs = np.empty(0, dtype=np.int32)
        self._offsets = np.empty((0, encoding.steps + 1), dtype=np.int64)

    def encode(self, images: Samples, seed: int, purpose: int, first: int = 0) -> Spikes:
        """Return the input spikes of some presentations; the next call writes over them.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, height, width) or (n, height, width, channels), or Binnable
            In the order of presentation.
        seed : int
        purpose : int
            `randomness.TRAINING_SPIKES` or `randomness.INFERENCE_SPIKES`.
        first : int, default 0
            Number of the first presentation in training, of the first image otherwise.
        """
        encoding, n = self._encoding, len(images)
        if isinstance(images, Binnable):
            return Spikes(
                *_used(*images.binned(encoding.steps, encoding.step_us), encoding.input_mask), seed, first
            )
        images = intensities(images, encoding)
        pixels = np.ascontiguousarray(images).reshape(n, int(np.prod(images.shape[1:])))
        used = np.ones(pixels.shape[1], np.bool_) if encoding.input_mask is None else encoding.input_mask
        if len(self._offsets) < n:
            self._offsets = np.empty((n, encoding.steps + 1), dtype=np.int64)
        settings = encoding.number, encoding.rate_per_step, encoding.most_spikes, encoding.white
        stream = np.uint64(seed), np.uint64(purpose), np.uint64(first)
        offsets, done = self._offsets[:n], 0
        while True:
            done = kernels.encode_batch(pixels, used, settings, stream, done, offsets, self._inputs)
            if done == n:
                return Spikes(offsets, self._inputs[: offsets[-1, -1] if n else 0], seed, first)
            larger = np.empty(max(_LEAST, 2 * len(self._inputs)), dtype=np.int32)
            larger[: len(self._inputs)] = self._inputs
            self._inputs = larger


def _used(
    offsets: NDArray[np.int64], inputs: NDArray[np.int32], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the spikes of those inputs that are used."""
    if mask is None:
        return offsets, inputs
    kept = mask[inputs]
    return np.concatenate([[0], np.cumsum(kept)])[offsets], inputs[kept]


def input_spikes(network: Network, image: NDArray[np.uint8], seed: int, purpose: int, sample: int) -> Spikes:
    """Return the input spikes of one presentation of an image (height, width); see `BatchEncoder.encode`."""
    return BatchEncoder(encoding_of(network)).encode(image[None], seed, purpose, sample)
