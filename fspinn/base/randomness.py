"""Random numbers as a pure function of (seed, purpose, sample, index).

Nothing here keeps a state: whoever asks for the same four numbers gets the same bits, on every
machine, in every order, from every thread. The generator is SplitMix64 (Steele, Lea and Flood,
"Fast splittable pseudorandom number generators", OOPSLA 2014) read at a position instead of in
sequence. `fspinn.network.encoder_kernels` holds the same function for compiled code.
"""

import numpy as np
from numpy.typing import NDArray

# One number per purpose, so that two uses of one seed never share random bits.
TRAINING_SPIKES = 1
INFERENCE_SPIKES = 2
WEIGHTS = 3
ORDER = 4
VALIDATION_SPLIT = 5
TEST_SPLIT = 6
LABELS = 7
CANDIDATES = 8
TUNING_IMAGES = 9
ROUNDING = 10
LEARNING_ROUNDING = 11
POSITIONS = 15
NOISE = 14  # 12 and 13 are those of benchmarks/diehl_cook
READOUT_ORDER = 16
DROPOUT = 17
ANN_WEIGHTS = 18
ANN_ORDER = 19

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mix(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))


def stream_key(seed: int, purpose: int, sample: int = 0) -> int:
    """Return the 64-bit key of one stream of random words.

    The seed is the user's, the purpose a constant of this module, the sample an image, pass or repetition.
    """
    return mixed(seed, purpose, sample)


def mixed(*parts: int) -> int:
    """Return the key that some parts of the name of a stream lead to; the next one is mixed with it."""
    key = np.zeros(1, dtype=np.uint64)
    for part in parts:
        key = _mix((key ^ np.uint64(part)) + _GOLDEN)
    return int(key[0])


def words(key: int, count: int) -> NDArray[np.uint64]:
    """Return the first `count` random 64-bit words of the stream `key`.

    >>> words(stream_key(0, WEIGHTS), 3).dtype
    dtype('uint64')
    """
    index = np.arange(1, count + 1, dtype=np.uint64)
    return _mix(np.uint64(key) + index * _GOLDEN)


def uniforms(key: int, count: int) -> NDArray[np.float64]:
    """Return `count` numbers in [0, 1), each of them a multiple of 2**-53."""
    return (words(key, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(key: int, count: int) -> NDArray[np.int64]:
    """Return a random order of ``range(count)``."""
    return np.argsort(words(key, count), kind="stable")
