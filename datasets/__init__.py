"""Where do images come from?"""

if __name__ != "fspinn.datasets":
    raise ImportError(
        f"{__file__} is fspinn.datasets, not the package {__name__!r}: "
        "start Python outside the fspinn checkout, or import fspinn.datasets"
    )
