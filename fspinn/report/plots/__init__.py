"""What does a person look at? Pictures of searches, networks and answers, as matplotlib figures."""

from fspinn.report.plots.answers import confusion_matrix, coverage, spike_raster
from fspinn.report.plots.candidates import accuracy_against_memory
from fspinn.report.plots.columns import readout_map, spike_places
from fspinn.report.plots.networks import learning_curve, receptive_fields, thresholds
from fspinn.report.plots.positions import spike_map
from fspinn.report.plots.saving import save

__all__ = [
    "accuracy_against_memory",
    "confusion_matrix",
    "coverage",
    "learning_curve",
    "readout_map",
    "receptive_fields",
    "save",
    "spike_map",
    "spike_places",
    "spike_raster",
    "thresholds",
]
