"""fspinn import: what a device has learned, as a model."""

from pathlib import Path

import click

from fspinn.base.errors import ConfigError, DataError
from fspinn.base.files import check_file
from fspinn.cli import options, sections


@sections.as_command(
    "import",
    epilog="""\b
Examples:
  fspinn import dump.bin --like net.h5 -o learned.h5
""",
)
@click.argument("dump", type=click.Path(path_type=Path))
@click.option("--like", required=True, type=click.Path(path_type=Path), help="The model that was exported.")
@click.option("-o", "--output", required=True, type=options.Output(check_file), help="Where the model goes.")
@options.as_json
def command(dump: Path, like: Path, output: Path, as_json: bool) -> None:
    """Make a model of DUMP, the bytes of state.learned of a device that learned (`fspinn export --learning`).

    Weights and thresholds are those of the device; the readout is that of the model that was exported. A dump
    does not say which model that was: name the right one.
    """
    from fspinn.learning.device import import_learned
    from fspinn.model import store

    for read in (dump, like):
        if output.exists() and read.exists() and output.samefile(read):
            raise ConfigError(f"--output {output}: is what is read; give the model another name")
    network = store.load(like)
    try:
        check_file(dump)
        given = dump.read_bytes()
    except ConfigError:
        raise DataError(f"{dump}: not a regular file; name a dump of state.learned") from None
    except OSError as error:
        raise DataError(f"{dump}: {error.strerror}; name a dump of state.learned") from None
    learned = import_learned(given, network)
    store.save(learned, output)
    samples = learned.record["learned_on_device"]
    answer = {"output": str(output), "samples": samples}
    options.answer(as_json, answer, f"written   {output}: learned from {samples} samples on the device")
