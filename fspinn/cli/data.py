"""fspinn data: which images are there?"""

import click


@click.group("data")
def command() -> None:
    """List, describe and download data sets."""
