"""fspinn estimate: what does a network cost on a piece of hardware?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, sections

if TYPE_CHECKING:
    from fspinn.memmodel import Estimate
    from fspinn.model.model import Model


@sections.as_command("estimate")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--hardware",
    default="asic65-lp",
    show_default=True,
    help="Preset, or another name of one (`fspinn hardware list`), or the path of a TOML file.",
)
@click.option("--compare", help="Another network (.h5), or the same on another preset or TOML file.")
@click.option(
    "--mean-intensity",
    type=float,
    help="Mean pixel from 0 to 1, to expect spikes from where none were counted.",
)
@click.option(
    "--online",
    is_flag=True,
    help="The input is a stream: all positions of a field at once. A network of events always is so.",
)
@click.option(
    "--plot",
    type=options.Output(options.check_picture),
    help="Draw the costs into a .png, .svg or .pdf file.",
)
@click.option(
    "--details", is_flag=True, help="Say all: each component, training, rates, NeuroBench's metrics."
)
@click.option("--check", is_flag=True, help="Exit with status 1 if it does not fit, for inference.")
@options.config
@options.as_json
def command(
    model: Path,
    hardware: str,
    compare: str | None,
    mean_intensity: float | None,
    online: bool,
    plot: Path | None,
    details: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Estimate memory, energy, latency and area of the network MODEL on a piece of hardware.

    Energy and latency are those of one image, from the activity that was counted when the network
    was trained. --details and --json say all that is known; so much is not needed to see whether it fits.

    \b
    Examples:
      fspinn estimate net4.h5 --hardware uno
      fspinn estimate net4.h5 --details
      fspinn estimate net4.h5 --compare net.h5 --plot costs.png
      fspinn estimate net4.h5 --hardware mcu-m4f --compare asic65-lp
      fspinn estimate net4.h5 --hardware my-chip.toml --check --json

    Exit status: 0, with --check 1 if inference does not fit on the hardware, 2 bad input.
    """
    from fspinn.memmodel.names import canonical
    from fspinn.memmodel.neurobench import neurobench
    from fspinn.memmodel.summary import summarize
    from fspinn.memmodel.text import describe
    from fspinn.model import store

    cases = {str(model): (model, hardware)}
    if compare is not None and compare.endswith(".h5"):
        cases[compare] = (Path(compare), hardware)
    elif compare is not None:
        hardware, compare = canonical(hardware), canonical(compare)
        cases = {hardware: (model, hardware), compare: (model, compare)}
    if compare is not None and len(cases) < 2:
        raise ConfigError(f"--compare {compare}: is the same network on the same hardware; name another")
    networks = {path: store.load(path) for path, _ in cases.values()}
    estimates = {
        name: _estimate(path, networks[path], preset, mean_intensity, online)
        for name, (path, preset) in cases.items()
    }
    if plot is not None:
        from fspinn.report.plots import save
        from fspinn.report.plots.costs import costs

        save(costs(estimates), plot)
    for path, network in networks.items():
        if "quantization" in network.record:
            click.echo(f"{path}: activity was counted with the weights before quantization.", err=True)
        if "learned_on_device" in network.record:
            click.echo(f"{path}: activity was counted before it learned on the device.", err=True)
        chips = (one for name, one in estimates.items() if cases[name][0] == path)
        if network.layers[0].formats is None and any(one.hardware.controller for one in chips):
            click.echo(
                f"{path}: computes with floats, of which no program is made; costs are as if it were in "
                "integers. Quantize it first, with --state.",
                err=True,
            )
    others = {path: neurobench(one) for path, one in networks.items() if "inference" in one.activity}
    answers = [
        {
            "model": str(path),
            **estimates[name].as_dict(),
            "neurobench": others[path].as_dict() if path in others else None,
        }
        for name, (path, _) in cases.items()
    ]
    above = [str(model)] if len(networks) < len(cases) else []
    inferences = (
        [f"\n{path}, an inference. {one.in_words()}" for path, one in others.items()] if details else []
    )
    below = inferences + ([] if plot is None else [f"wrote {plot}"])
    answer = answers[0] if compare is None else {**answers[0], "compare": answers[1]}
    options.answer(as_json, answer, *above, (describe if details else summarize)(estimates), *below)
    if check and not all(estimate.fits("inference") for estimate in estimates.values()):
        sys.exit(1)


def _estimate(
    path: Path, network: "Model", hardware: str, mean_intensity: float | None, online: bool
) -> "Estimate":
    from fspinn.memmodel import Size, estimate, expected_workloads

    if mean_intensity is None:
        return estimate(network, hardware, online=online)
    if network.activity:
        raise ConfigError(f"--mean-intensity: activity was counted for {path}; leave the option out")
    expected = expected_workloads(network.network, Size.of(network), mean_intensity)
    return estimate(network, hardware, expected, online=online)
