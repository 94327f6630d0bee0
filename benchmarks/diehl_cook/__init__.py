"""Diehl & Cook's network as published, and as in BindsNET, on Brian2: baselines for fspinn's own networks.

    python benchmarks/diehl_cook diehl-cook-2015 --neurons 100 --samples 1000
    python benchmarks/diehl_cook bindsnet-2018 --samples 2500 --split test

A network learns from MNIST without labels, its neurons are labelled by their responses to the same images,
and its accuracy on others is measured. `diehl_cook_2015` and `bindsnet_2018` hold the networks with the
source of each number, `showing` shows images to them, `learning` is the whole run. Only the images, the input
spikes and the readout are those of fspinn, so that results can be compared; the dynamics are here alone.

Brian2 is imported where it is used: once it is there, pytest collects doctests in another way.
"""
