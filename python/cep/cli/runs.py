"""``cep runs``."""

from pathlib import Path

import click

from cep._util.tables import table
from cep.cli import options
from cep.experiments.comparison import compare, find_runs, read


@click.command()
@click.argument("directories", nargs=-1, type=options.Home(file_okay=False))
def runs(directories: tuple[Path, ...]) -> None:
    """List and compare runs.

    The table shows the fields in which their configurations differ, and their errors.

    DIRECTORIES are run directories, or folders that contain some; by default the current folder.

    If runs cannot be read, their errors are printed below the table, and the exit status is 1.
    """
    with options.readable_errors():
        found = [run for place in directories or (Path(),) for run in find_runs(place)]
        readable, messages = read(found)
        if readable:
            click.echo(table(*compare(readable), width=options.columns()))
        for message in messages:
            click.echo(message, err=True)
        if messages:
            raise click.ClickException(f"{len(messages)} of {len(found)} runs cannot be read")
