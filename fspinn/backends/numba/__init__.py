"""The fast engines, in floats and in integers, compiled by Numba."""
