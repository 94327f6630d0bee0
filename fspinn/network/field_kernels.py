"""Kernels of receptive fields: what a position sees, and what the next layer does."""

from fspinn.base.jit import njit


@njit
def gather(starts, inputs, where, position, seen_starts, seen):
    """Write the spikes of the inputs that a position sees; return the place after the last.

    `starts` (steps + 1,) and `inputs` are those of a presentation, `seen_starts` and `seen` those of the
    position, from ``seen_starts[0]`` on; `where`: row, column and channel of each input (inputs, 3), first
    row and column of each position (positions, 2), height and width of the field, channels.
    """
    places, corners, field, channels = where
    height, width = field
    top, left = corners[position, 0], corners[position, 1]
    place = seen_starts[0]
    for t in range(starts.size - 1):
        for e in range(starts[t], starts[t + 1]):
            i = inputs[e]
            y, x = places[i, 0] - top, places[i, 1] - left
            if 0 <= y < height and 0 <= x < width:
                seen[place] = (y * width + x) * channels + places[i, 2]
                place += 1
        seen_starts[t + 1] = place
    return place


@njit
def sort_each_step(spikes_of, spike_steps, spike_features, spiked, offsets, inputs):
    """Make one spike of each feature in each step in which it spiked; return how many there are.

    `spikes_of` (n,): how many of the spikes are those of each sample, one sample after the other; of each
    spike its step and feature; `spiked` (steps, features) is all false, and is again at the end. Writes
    `offsets` (n, steps + 1) and `inputs`.
    """
    place, first = 0, 0
    for m in range(spikes_of.size):
        stop = first + spikes_of[m]
        for e in range(first, stop):
            spiked[spike_steps[e], spike_features[e]] = True
        first = stop
        offsets[m, 0] = place
        for t in range(spiked.shape[0]):
            for i in range(spiked.shape[1]):
                if spiked[t, i]:
                    spiked[t, i] = False
                    inputs[place] = i
                    place += 1
            offsets[m, t + 1] = place
    return place


@njit
def sort_first_spikes(first_steps, offsets, inputs):
    """Make spikes of the step in which each feature spiked first; ``offsets[m, 0]`` of the first is 0.

    `first_steps` (n, features) is `steps` where there was none. Writes `offsets` (n, steps + 1) and `inputs`.
    """
    steps, place = offsets.shape[1] - 1, 0
    for m in range(first_steps.shape[0]):
        for t in range(steps + 1):
            offsets[m, t] = 0
        for i in range(first_steps.shape[1]):
            if first_steps[m, i] < steps:
                offsets[m, first_steps[m, i] + 1] += 1
        offsets[m, 0] = place
        for t in range(steps):
            offsets[m, t + 1] += offsets[m, t]
        # Filled from behind, so that the offsets need no copy.
        place = offsets[m, steps]
        for i in range(first_steps.shape[1] - 1, -1, -1):
            t = first_steps[m, i]
            if t < steps:
                offsets[m, t + 1] -= 1
                inputs[offsets[m, t + 1]] = i
        for t in range(1, steps):
            offsets[m, t] = offsets[m, t + 1]
        offsets[m, steps] = place
