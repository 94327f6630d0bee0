"""fspinn report: the page about a search."""

from pathlib import Path

import click

from fspinn.cli import options, sections


@sections.as_command("report")
@click.argument("result", type=click.Path(path_type=Path), default=Path("result"))
@options.data_dir
@options.threads
@options.config
@options.as_json
def command(result: Path, data_dir: Path | None, threads: int | None, as_json: bool) -> None:
    """Write the page about a search again.

    RESULT is the folder that `fspinn search -o` has written [default: result]; the page is its report.html.

    \b
    Example:
      fspinn report result/
    """
    from fspinn.report import write_report

    path = write_report(result, data_dir=data_dir, threads=threads)
    options.answer(as_json, {"report": str(path)}, f"wrote {path}")
