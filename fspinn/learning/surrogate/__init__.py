"""Learning with labels: gradients through spikes, by a surrogate of the step."""
