"""fspinn report: the page about a search."""

from pathlib import Path

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, sections


@sections.as_command("report")
@click.argument("result", type=click.Path(path_type=Path), default=Path("result"))
@click.option(
    "--live",
    is_flag=True,
    help="Serve the page to a browser on this machine while the search is under way, until Ctrl-C; needs no "
    "images.",
)
@options.data_dir
@options.threads
@options.config
@options.as_json
def command(result: Path, live: bool, data_dir: Path | None, threads: int | None, as_json: bool) -> None:
    """Write the page about a search again, or show it while the search is under way.

    RESULT is the folder that `fspinn search -o` writes [default: result]; the page is its report.html.

    \b
    Examples:
      fspinn report result/
      fspinn report --live result/
    """
    if live:
        for option, value in {"--data-dir": data_dir, "--threads": threads}.items():
            if value is not None:
                raise ConfigError(f"{option}: --live needs no images; leave it out")
        _serve(result, as_json)
        return
    from fspinn.report import write_report

    path = write_report(result, data_dir=data_dir, threads=threads)
    options.answer(as_json, {"report": str(path)}, f"wrote {path}")


def _serve(folder: Path, as_json: bool) -> None:
    from fspinn.report.live import live_report

    with live_report(folder) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        options.answer(as_json, {"address": address}, f"{address} follows {folder}; Ctrl-C ends it")
        server.serve_forever()
