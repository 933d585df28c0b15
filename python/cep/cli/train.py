"""``cep train``."""

from pathlib import Path
from typing import Any

import click

from cep._util.signals import Terminated
from cep.cli import configuring, options
from cep.experiments import RunDirectory, RunResult, run
from cep.plotting import plots
from cep.training.history import History
from cep.training.live import LiveView
from cep.training.progress import shows_bars


@click.command(context_settings={"show_default": True})
@configuring.configuration_options
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the run in this new directory: configuration, metrics, checkpoints, plot.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Go on with the run in this directory, whose configuration it has.",
)
@click.option(
    "--checkpoint-every",
    type=int,
    metavar="BATCHES",
    help="Save so often within an epoch too, not only after each one and every minute.",
)
@click.option("--tensorboard", is_flag=True, help="Write event files into the run directory.")
@options.save_plot("the error curves")
@click.option("--progress/--no-progress", default=True, help="Whether to show progress bars.")
@click.option(
    "--live",
    is_flag=True,
    help="Show errors, residuals, layer activity and moving weights while it learns.",
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

    Without options: C-EP on the digits. Every epoch prints a line; the test data is only measured,
    never learned from. Steps, β, learning rates and epochs depend on data, rule and depth: on MNIST
    they are those of Ernoult et al. (2020).

    Where nobody reads the output any more, as after | head, a run ends quietly with status 141; one
    with a directory is saved up to its last epoch, and goes on with --resume.
    """
    given = configuring.given(context, fields)
    directory = run_dir if resume is None else resume
    with options.readable_errors():
        options.check_writable(save_plot)
        if resume is None:
            configuration = configuring.configuration(preset, given)
        else:
            places = {"preset": preset, "run_dir": run_dir}
            named = {name for name, value in places.items() if value is not None}
            # What it is like, and where it is kept, is said already.
            options.refuse(
                context.command,
                named | given.keys(),
                "--resume takes the configuration from its run",
            )
            configuration = RunDirectory(resume).configuration()
        click.echo(f"network        {configuration.make_network()!r}")
        click.echo(f"rule           {configuration.make_rule()!r}")
        data = configuration.load_data(data_root)
        (x, _), (x_test, _) = data
        click.echo(f"data           {configuration.data}: {len(x)} to learn, {len(x_test)} to test")
        click.echo("epoch  train error  train loss  test error  test loss  seconds")
        try:
            result = run(
                configuration,
                directory,
                data=data,
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
            raise options.interrupted(error, f"cep train --resume {directory}") from None
        except BrokenPipeError:
            if directory is not None:
                RunDirectory(directory).set_status("interrupted", "nobody read the output")
            raise
        _report(result)
        if save_plot is not None:
            title = f"{configuration.title}: test error {result.test_error:.2%}"
            plots.save(plots.plot_history(result.history, title=title), save_plot)
            click.echo(f"picture        {save_plot}")


def _print_epoch(history: History) -> None:
    options.print_beside_bars(
        f"{len(history):5}  {history.train_error[-1]:11.2%}  {history.train_loss[-1]:10.4f}  "
        f"{history.validation_error[-1]:10.2%}  {history.validation_loss[-1]:9.4f}  "
        f"{history.seconds[-1]:7.2f}"
    )


def _report(result: RunResult) -> None:
    if result.reason == "diverged":
        raise ArithmeticError(f"after {len(result.history)} epochs: {result.message}")
    if result.reason == "patience":
        click.echo(f"stopped        no lower test error since epoch {result.best_epoch}")
    ended = f": {result.ended}" if result.mostly_wrong else ""
    click.echo(
        f"test error     {result.test_error:.2%} after the last epoch, "
        f"{result.best_test_error:.2%} after the best one ({result.seconds:.1f} s){ended}"
    )
