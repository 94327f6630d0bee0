"""Which class do these spikes mean? Readouts are fitted on labelled training images only."""

import numpy as np
from numpy.typing import NDArray

from fspinn.errors import ConfigError
from fspinn.model import LABEL_READOUT, Readout

READOUTS = ("proportion", LABEL_READOUT)


def check_name(name: str) -> None:
    """Raise `ConfigError` if there is no readout of that name."""
    if name not in READOUTS:
        raise ConfigError(f"readout: there is no {name!r}; use one of {', '.join(READOUTS)}")


def fit(name: str, spike_counts: NDArray[np.int32], labels: NDArray[np.int64], n_classes: int) -> Readout:
    """Fit a readout on the responses to labelled training images.

    With ``m[j, c]`` the mean number of spikes of neuron j for images of class c:

    - ``proportion``: a spike of neuron j speaks for every class in proportion,
      ``m[j, c] / sum_c m[j, c]`` (after BindsNET's proportion weighting, without its hard assignment).
    - ``majority``: a spike of neuron j speaks only for the class with the highest ``m[j, c]``, divided by the
      number of neurons of that class (Diehl & Cook 2015: highest average rate of a class's neurons).

    A neuron that never spiked speaks for no class.

    Parameters
    ----------
    name : str
        ``"proportion"`` or ``"majority"``.
    spike_counts : ndarray of int32, shape (n, n_neurons)
    labels : ndarray of int64, shape (n,)
    n_classes : int

    Raises
    ------
    ConfigError
        If there is no readout of that name.
    """
    check_name(name)
    sums = np.zeros((n_classes, spike_counts.shape[1]))
    np.add.at(sums, labels, spike_counts)
    images_of_class = np.bincount(labels, minlength=n_classes)
    means = (sums / np.maximum(images_of_class, 1)[:, None]).T
    total = means.sum(axis=1, keepdims=True)
    if name == "proportion":
        table = means / np.where(total > 0, total, 1.0)
    else:
        table = (np.arange(n_classes) == means.argmax(axis=1)[:, None]) * (total > 0)
        table = table / np.maximum(table.sum(axis=0), 1)
    return Readout(name, table.astype(np.float32))


def predict(readout: Readout, spike_counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the class of each response.

    Parameters
    ----------
    readout : Readout
    spike_counts : ndarray of int32, shape (n, n_neurons)

    Returns
    -------
    ndarray of int64, shape (n,)
        The class with the highest score; class 0 where no neuron spiked.
    """
    scores = spike_counts.astype(np.float64) @ readout.table.astype(np.float64)
    classes: NDArray[np.int64] = scores.argmax(axis=1)
    return classes
