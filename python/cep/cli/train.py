"""``cep train``."""

from pathlib import Path
from typing import Any

import click

from cep._util.signals import Terminated
from cep.cli import configuring, options
from cep.experiments import RunDirectory, RunResult, run
from cep.experiments.configuration import Configuration
from cep.experiments.data import RunData, Splits, check_root, splits_of
from cep.plotting import plots
from cep.training.history import History
from cep.training.live import LiveView
from cep.training.progress import shows_bars


@click.command()
@configuring.preset
@configuring.configuration_options()
@click.option(
    "--run-dir",
    type=options.Home(file_okay=False),
    metavar="DIR",
    help="New directory for the run: configuration, metrics, checkpoints, plot.",
)
@click.option(
    "--resume",
    type=options.Home(file_okay=False),
    metavar="DIR",
    help="Continue the run in this directory, with its configuration.",
)
@click.option(
    "--checkpoint-every",
    type=int,
    metavar="BATCHES",
    help="Save a checkpoint after this number of batches, too, not only every epoch and minute.",
)
@click.option("--tensorboard", is_flag=True, help="Write event files into the run directory.")
@options.save_plot("the error curves")
@click.option("--progress/--no-progress", default=True, help="Whether to show progress bars.")
@click.option(
    "--live",
    is_flag=True,
    help="Show errors, residuals, layer activity and weights during training.",
)
@click.pass_context
def train(
    context: click.Context,
    /,
    preset: str | None,
    data_root: Path | None,
    run_dir: Path | None,
    resume: Path | None,
    checkpoint_every: int | None,
    tensorboard: bool,
    save_plot: Path | None,
    progress: bool,
    live: bool,
    **fields: Any,
) -> None:
    """Train a network and print its test error.

    Without options, it trains EP on the digits. One line per epoch is printed. A tenth of the
    training data is held out for validation. The test data are evaluated once, at the end. The
    defaults of layers, steps, β, learning rates and epochs depend on data, rule and depth. For
    MNIST they are those of Ernoult et al. (2020).

    If standard output is closed, as by | head, the run ends without a message, with status 141. A
    run with a directory is saved up to its last epoch and continues with --resume.
    """
    given = configuring.given(context, fields)
    directory = run_dir if resume is None else resume
    with options.readable_errors():
        options.check_writable(save_plot)
        data: RunData | None = None
        if resume is None:
            configuration, data = configuring.with_data(
                given, data_root, lambda given: configuring.configuration(preset, given)
            )
            configuring.refuse_without_effect(given, [configuration])
        else:
            places = {"preset": preset, "run_dir": run_dir}
            named = {name for name, value in places.items() if value is not None}
            # The run determines its configuration and directory.
            options.refuse(
                context.command,
                named | given.keys(),
                "--resume takes the configuration from its run",
            )
            configuration = RunDirectory(resume).configuration()
            data = RunDirectory(resume).data().get("path")
            check_root(configuration, data, data_root)
        splits = splits_of(configuration, data, data_root)
        if splits.validation is not None and "validation_fraction" in given:
            raise click.UsageError(
                "--validation-fraction has no effect, as the data are split: leave it out"
            )
        configuration = configuration.of_data(splits.inputs, splits.classes)
        options.print_wrapped("network", repr(configuration.make_network()))
        options.print_wrapped("rule", repr(configuration.make_rule()))
        options.print_wrapped("data", f"{configuration.data}: {_sizes(configuration, splits)}")
        try:
            result = run(
                configuration,
                directory,
                data=splits,
                # The lines of epochs are printed below.
                progress=progress and shows_bars(),
                on_epoch_end=_print_epoch,
                resume=resume is not None,
                checkpoint_every=checkpoint_every,
                tensorboard=tensorboard,
                callbacks=[LiveView()] if live else [],
            )
        except (KeyboardInterrupt, Terminated) as error:
            if directory is None:
                raise
            raise options.Stopped(error, f"cep train --resume {directory}") from None
        except BrokenPipeError:
            if directory is not None:
                RunDirectory(directory).set_status("interrupted", "standard output was closed")
            raise
        _report(result)
        if save_plot is not None:
            title = f"{configuration.title}: test error {result.test_error:.2%}"
            axes = plots.plot_history(result.history, ax=plots.plain_axes(), title=title)
            plots.save(axes, save_plot)
            click.echo(f"picture        {save_plot}")


def _sizes(configuration: Configuration, splits: Splits) -> str:
    """The numbers of training, validation and test samples."""
    held_out = "" if splits.validation is None else f"{len(splits.validation[0])} to validate, "
    if splits.validation is None and configuration.validation_fraction:
        held_out = f"{configuration.validation_fraction:.3g} of them to validate, "
    test = 0 if splits.test is None else len(splits.test[0])
    return f"{len(splits.train[0])} to learn, {held_out}{test} to test"


def _print_epoch(history: History) -> None:
    row = history.rows()[-1]
    # With headings of two lines, the table fits into 80 columns.
    headings = {name: name.partition("_")[::2] for name in row}
    widths = {name: max(7, *map(len, words)) for name, words in headings.items()}
    if row["epoch"] == 1:
        for k in range(2):
            words = (f"{headings[name][k]:>{width}}" for name, width in widths.items())
            options.print_above_bars("  ".join(words)[2:])
    cells = [f"{row['epoch']:5}"] + [
        f"{value:{widths[name]}.{2 + 2 * ('loss' in name)}{'%' if 'error' in name else 'f'}}"
        for name, value in list(row.items())[1:]
    ]
    options.print_above_bars("  ".join(cells))


def _report(result: RunResult) -> None:
    if result.stop_reason == "diverged":
        raise ArithmeticError(f"after {len(result.history)} epochs: {result.message}")
    if result.stop_reason == "patience":
        click.echo(f"stopped        no lower validation error since epoch {result.best_epoch}")
    if result.best_epoch:
        click.echo(
            f"validation     {result.validation_error:.2%} after the last epoch, "
            f"{result.best_validation_error:.2%} after epoch {result.best_epoch}, the best"
        )
    ended = f": {result.ended}" if result.collapsed else ""
    seconds = f"({result.seconds:.1f} s)"
    click.echo(f"test error     {result.test_error:.2%} after the last epoch {seconds}{ended}")
