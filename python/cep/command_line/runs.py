"""``cep runs``."""

from pathlib import Path

import click

from cep.command_line import options
from cep.runs.comparison import compare, find_runs, on_disk, table


@click.command()
@click.argument("directories", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
def runs(directories: tuple[Path, ...]) -> None:
    """List runs and compare them: where their configurations differ, and what they came to.

    DIRECTORIES are run directories, or folders with some below them; by default the present one.
    """
    with options.readable_errors():
        found = [on_disk(run) for place in directories or (Path(),) for run in find_runs(place)]
        click.echo(table(*compare(found)))
