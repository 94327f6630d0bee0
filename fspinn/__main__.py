"""``python -m fspinn`` is the command ``fspinn``."""

from fspinn.cli import main

main(prog_name="fspinn")
