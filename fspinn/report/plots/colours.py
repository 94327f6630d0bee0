"""Colours that everybody can distinguish: Paul Tol's `bright` scheme and the red of `vibrant`."""

SHADES = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#bbbbbb")
CHOSEN = "#cc3311"
GREY = "#888888"
