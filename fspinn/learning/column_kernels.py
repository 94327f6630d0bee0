"""Kernels of columns that labels tune."""
