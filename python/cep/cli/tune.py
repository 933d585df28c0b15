"""``cep tune``."""

from pathlib import Path
from typing import Any

import click

from cep import experiments
from cep.cli import configuring, options
from cep.experiments import overrides


@click.command(context_settings={"show_default": True})
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=LOW..HIGH|VALUE,VALUE…",
    help="Search a field of the configuration; can be given several times. A field has a range, "
    "which is logarithmic for numbers with a decimal point, or values as in cep sweep. From a "
    "range of learning_rates, one value is drawn for each connection.  [default: learning rates "
    "from a tenth to ten times the given ones, and beta=0.1..1.0]",
)
@click.option("--trials", type=int, default=50, help="Total number of trials.")
@click.option(
    "--storage",
    default="tune.db",
    metavar="FILE|URL",
    help="Storage of the study: an SQLite file, or a database that several machines share.",
)
@click.option("--study-name", default="cep", help="Name of the study in its storage.")
@click.option("--jobs", type=int, default=1, help="Trials at a time.")
@configuring.preset
@configuring.configuration_options()
@click.option("--progress/--no-progress", default=True, help="Whether to show a progress bar.")
@click.pass_context
def tune(
    context: click.Context,
    /,
    parameters: tuple[str, ...],
    trials: int,
    storage: str,
    study_name: str,
    jobs: int,
    preset: str | None,
    data_root: Path | None,
    progress: bool,
    **fields: Any,
) -> None:
    """Search for hyperparameters with Optuna.

    \b
    cep tune --param learning_rates=0.005..0.2 --param beta=0.2..1.0 --param hidden=64,128+64

    The search minimizes the validation error. The other options apply to all trials, as in cep
    train. Trials that are worse than the median of the others are pruned. Test data are not used.

    The same command continues a search that was stopped, until it has --trials trials. Several
    machines can share a --storage, such as postgresql://user@host/base, for one search.
    """  # noqa: D301 (click needs a real \b)
    with options.readable_errors():
        given = configuring.given(context, fields)
        searched = options.named(parameters, "a range or values, such as beta=0.2..1.0")
        search = {name: _space(name, text) for name, text in searched.items()}
        options.refuse(context.command, given.keys() & search.keys(), "it is searched by --param")
        configuration, data = configuring.with_data(
            given, data_root, lambda given: configuring.configuration(preset, given)
        )
        configuring.refuse_without_effect(given, [configuration])
        with options.same_command_continues():
            result = experiments.tune(
                configuration,
                search or None,
                trials=trials,
                data=data,
                data_root=data_root,
                storage=storage,
                study_name=study_name,
                jobs=jobs,
                progress=progress,
                on_trial_end=_print_trial,
            )
        click.echo(f"\n{result}\n")
        found = [
            f"{name}={overrides.spelled(overrides.plain(getattr(result.configuration, name)))}"
            for name in result.study.user_attrs["fields"]
        ]
        click.echo(f"best           {' '.join(found)}")


def _space(name: str, text: str) -> Any:
    """The range or the values of a field."""
    if ".." not in text:
        return overrides.read(name, text)
    ends = [overrides.read(name, end)[0] for end in text.split("..", 1)]
    low, high = (end[0] if isinstance(end, list) else end for end in ends)
    return low, high


def _print_trial(trial: Any) -> None:
    values = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in trial.params.items()
    )
    error = f"{trial.value:.2%}" if trial.state.name == "COMPLETE" else trial.state.name.lower()
    options.print_above_bars(f"{trial.number:5}  {error:>8}  {values}")
