"""What does everything else rest on? Errors, checks, files, randomness, compilation. Nothing of spikes."""
