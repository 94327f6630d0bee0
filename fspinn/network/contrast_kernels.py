"""Kernels of what happens to intensities before they are encoded: means of blocks, and contrasts."""

import numpy as np

from fspinn.base.jit import njit, njit_allocating

ON_OFF, LEVEL, DELTA, LEVEL_DELTA = range(1, 5)
"""Numbers of the contrasts, in the order of `fspinn.network.encoders.CONTRASTS`."""


@njit
def mean_blocks(images, means):
    """Write the rounded mean of each block of images (n, height, width, channels).

    `means` has a number of rows and columns that divides theirs.
    """
    n, rows, columns, channels = means.shape
    high, wide = images.shape[1] // rows, images.shape[2] // columns
    pixels = high * wide
    for m in range(n):
        for y in range(rows):
            for x in range(columns):
                for c in range(channels):
                    total = pixels // 2
                    for row in range(y * high, (y + 1) * high):
                        for column in range(x * wide, (x + 1) * wide):
                            total += np.int64(images[m, row, column, c])
                    means[m, y, x, c] = total // pixels


@njit
def oppose_colours(images, opposed):
    """Write brightness, red against green, and blue against yellow of images (n, height, width, 3)."""
    n, height, width, _ = images.shape
    for m in range(n):
        for y in range(height):
            for x in range(width):
                red, green = np.int64(images[m, y, x, 0]), np.int64(images[m, y, x, 1])
                blue = np.int64(images[m, y, x, 2])
                opposed[m, y, x, 0] = (red + green + blue) // 3
                opposed[m, y, x, 1] = 128 + ((red - green) >> 1)
                opposed[m, y, x, 2] = 128 + ((2 * blue - red - green) >> 2)


@njit
def write_both(gap, gain, channel, pixel):
    """Write what is above 0 into a channel of a pixel, and what is below into the next one."""
    pixel[channel] = min(255, gain * max(0, gap))
    pixel[channel + 1] = min(255, gain * max(0, -gap))


@njit
def split_around(image, channel, radius, gain, sums, split):
    """Write how much brighter, and how much darker, than the mean around it each pixel is.

    `sums` (height + 1, width + 1), of all pixels above and to the left, have zeros at their edges.
    """
    height, width, _ = image.shape
    for y in range(height):
        row = np.int64(0)
        for x in range(width):
            row += np.int64(image[y, x, channel])
            sums[y + 1, x + 1] = sums[y, x + 1] + row
    for y in range(height):
        top, bottom = max(0, y - radius), min(height, y + radius + 1)
        for x in range(width):
            left, right = max(0, x - radius), min(width, x + radius + 1)
            total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
            mean = total // ((bottom - top) * (right - left))
            write_both(np.int64(image[y, x, channel]) - mean, gain, 2 * channel, split[y, x])


@njit_allocating
def split_contrast(images, how, split):
    """Write the channels that a contrast splits those of images (n, height, width, channels) into.

    `how`: number of the contrast, channels that each becomes, radius, gain, height of a step and its gain;
    writes `split` (n, height, width, channels).
    """
    kind, each, radius, gain, step, step_gain = how
    n, height, width, channels = images.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int64)
    for m in range(n):
        for c in range(channels):
            if kind == ON_OFF:
                split_around(images[m], c, radius, gain, sums, split[m])
                continue
            for y in range(height):
                level = np.int64(images[m, y, 0, c])
                for x in range(width):
                    intensity = np.int64(images[m, y, x, c])
                    if kind != DELTA:
                        write_both(intensity - 128, gain, each * c, split[m, y, x])
                    if kind != LEVEL:
                        steps = abs(intensity - level) // step
                        steps = steps if intensity > level else -steps
                        level += steps * step
                        write_both(steps, step_gain, each * (c + 1) - 2, split[m, y, x])
