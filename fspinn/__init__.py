"""fspinn finds the smallest spiking neural network that does your job on your device."""

__version__ = "0.1.0"
