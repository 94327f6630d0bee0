"""How do weights come about? Passes over the samples without labels, then a readout that listens."""
