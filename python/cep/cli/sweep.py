"""``cep sweep``."""

import contextlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cep import experiments
from cep.cli import configuring, options
from cep.experiments import RunOutcome, overrides
from cep.experiments.configuration import Configuration
from cep.training.progress import shows_bars


@click.command()
@click.option(
    "--param",
    "parameters",
    multiple=True,
    required=True,
    metavar="NAME=VALUE[,VALUE…]",
    help="Sweep a field of the configuration; can be given several times. Integers may be ranges: "
    "seed=0:5 is 0, 1, 2, 3, 4, and epochs=10:50:20 is 10, 30. The parts of one value are joined "
    "by +: hidden=64,128+64 is one hidden layer, then two.",
)
@click.option(
    "--run-dir",
    type=options.Home(file_okay=False),
    required=True,
    metavar="DIR",
    help="Directory of the sweep, for its runs and results.csv.",
)
@click.option("--jobs", type=int, help="Runs at a time.  [default: one for each processor]")
@configuring.preset
@configuring.configuration_options()
@click.option("--progress/--no-progress", default=True, help="Whether to show a progress bar.")
@click.pass_context
def sweep(
    context: click.Context,
    /,
    parameters: tuple[str, ...],
    run_dir: Path,
    jobs: int | None,
    preset: str | None,
    data_root: Path | None,
    progress: bool,
    **fields: Any,
) -> None:
    """Train with every combination of some values.

    \b
    cep sweep --param beta=0.05,0.1,0.2 --param seed=0:5 --run-dir sweeps/beta

    The other options apply to all runs, as in cep train. The defaults of steps, β, learning rates
    and epochs depend on data, rule and depth. They are the same for all runs of the sweep.

    One line per run is printed when it ends. At the end, a table is printed, best run first. The
    same command continues a sweep that was stopped, and repeats runs that failed. Values may be
    added to it. The exit status is 1 if a run failed.
    """  # noqa: D301 (click needs a real \b)
    with options.readable_errors():
        given = configuring.given(context, fields)
        swept = options.named(parameters, "values, such as beta=0.1,0.2")
        values = {name: overrides.read(name, text) for name, text in swept.items()}
        options.refuse(context.command, given.keys() & values.keys(), "it is swept by --param")
        configuration, data = configuring.with_data(
            given,
            None if "data" in values else data_root,
            lambda given: configuring.configuration(preset, given),
        )
        configuring.refuse_without_effect(given, _combinations(configuration, values))
        click.echo("epochs  validation error  test error  seconds  run")
        with options.same_command_continues():
            result = experiments.sweep(
                configuration,
                values,
                run_dir,
                data=data,
                jobs=jobs,
                data_root=data_root,
                progress=progress and shows_bars(),
                on_run_end=_print_run,
            )
        click.echo(
            f"\n{result.table(options.columns())}\n\nresults        {run_dir / 'results.csv'}"
        )
        if failed := len(result.failed):
            raise click.ClickException(
                f"{failed} of {len(result)} runs failed; the same command repeats them"
            )


def _combinations(
    configuration: Configuration, values: dict[str, list[Any]]
) -> Iterator[Configuration]:
    """The valid combinations. For the others, the sweep itself raises an error."""
    for each in itertools.product(*values.values()):
        with contextlib.suppress(TypeError, ValueError):
            yield configuration.replace(**dict(zip(values, each, strict=True)))


def _print_run(outcome: RunOutcome) -> None:
    errors = [
        "" if math.isnan(error) else f"{error:.2%}"
        for error in (outcome.validation_error, outcome.test_error)
    ]
    seconds = f"{outcome.seconds:.1f}" if len(outcome.history) else ""
    line = f"{len(outcome.history):6}  {errors[0]:>16}  {errors[1]:>10}  {seconds:>7}"
    line += f"  {outcome.name}"
    if outcome.collapsed:
        line += f"  {outcome.ended}"
    if outcome.message:
        # The first line is enough here; results.csv has the whole message.
        line += f"  {outcome.stop_reason}: {outcome.message.splitlines()[0]}"
    options.print_above_bars(line)
