"""Diehl & Cook's network as published, on Brian2: the baseline that fspinn's own networks are compared with.

    python benchmarks/diehl_cook diehl-cook-2015 --neurons 100 --samples 1000

It learns from MNIST without labels, labels its neurons by their responses to the same images, and measures
the accuracy on others. `diehl_cook_2015` holds the network with the source of each number, `showing` shows
images to it, `learning` is the whole run. Only the images, the input spikes and the readout are those of
fspinn, so that results can be compared; the dynamics are here alone.
"""
