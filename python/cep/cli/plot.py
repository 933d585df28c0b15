"""``cep plot``."""

from pathlib import Path

import click

from cep.cli import options
from cep.experiments import RunDirectory
from cep.experiments.comparison import on_disk
from cep.plotting import plots


@click.command()
@click.argument("run", type=options.Home(file_okay=False))
@click.option(
    "--output",
    type=options.Home(dir_okay=False),
    metavar="FILE",
    help="File of the plot (.png, .svg, .pdf).  [default: plot.png in the run directory]",
)
def plot(run: Path, output: Path | None) -> None:
    """Plot the error curves and records of a run.

    RUN is the directory of a run, which may still be training.
    """
    with options.readable_errors():
        directory = RunDirectory(run)
        _, configuration, _, history, _ = on_disk(directory)
        path = run / "plot.png" if output is None else output
        options.check_writable(path, "--output")
        figure = plots.plot_records(directory.records(), history, configuration.title)
        figure.savefig(path, dpi=plots.DPI)
        click.echo(f"picture        {path}")
