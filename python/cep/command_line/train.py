"""``cep train``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cep import plots, presets
from cep.command_line import options
from cep.configuration import RECORD_KINDS, Configuration
from cep.history import History
from cep.runs import RunDirectory, RunResult, run


def _epoch_and_factor(text: str) -> tuple[int, float]:
    epoch, factor = text.split(":")
    return int(epoch), float(factor)


@click.command(context_settings={"show_default": True})
@click.option(
    "--preset", metavar="NAME", help="Start from a published experiment, such as EP-1h or C-VF-2h."
)
@options.data
@options.data_root
@click.option(
    "--rule",
    type=click.Choice(["ep", "c-ep", "bptt"]),
    default="c-ep",
    help="ep: one update a batch. c-ep: an update at every step of the nudged phase. bptt: the "
    "exact gradient, with ep's hyperparameters, to compare with.",
)
@options.hidden
@options.dynamics(activation="shifted_sigmoid")
@click.option(
    "--relaxation",
    type=click.Choice(["synchronous", "alternating"]),
    default="synchronous",
    help="Free phases: all layers at once, or odd ones first and then even ones.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.0,
    help="Change of a step up to which a sample is taken to be at rest.",
)
@options.free_steps
@options.nudged_steps
@options.beta
@click.option(
    "--beta-sign",
    type=click.Choice(["fixed", "random", "symmetric"]),
    default="fixed",
    help="Sign of β: as given, drawn for each batch, or both (ep only).",
)
@options.learning_rates
@click.option(
    "--learning-rate-decay",
    type=float,
    default=1.0,
    help="Factor on all learning rates after every epoch.",
)
@click.option(
    "--learning-rate-schedule",
    type=options.Several(_epoch_and_factor, "50:0.1,80:0.01"),
    metavar="EPOCH:FACTOR[,…]",
    help="From an epoch on, the initial learning rates times this factor.",
)
@click.option("--epochs", type=int, help="Passes over the training data.  [default: see above]")
@click.option("--batch-size", type=int, default=20, help="Samples a batch.")
@options.seed
@click.option("--patience", type=int, help="Stop after so many epochs without a lower test error.")
@click.option(
    "--record-every", type=int, metavar="BATCHES", help="Record how the network is, so often."
)
@click.option(
    "--record",
    "record_kinds",
    type=options.Several(str, "residuals,energy"),
    metavar="KIND[,KIND…]",
    help=f"What to record: {', '.join(RECORD_KINDS)}.  [default: all]",
)
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
    **fields: Any,
) -> None:
    """Train a network and print its test error.

    Without options: C-EP on the digits. Every epoch prints a line; the test data is only measured,
    never learned from. Steps, β, learning rates and epochs depend on data, rule and depth: on MNIST
    they are those of Ernoult et al. (2020).
    """
    given = {
        name: value
        for name, value in fields.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    directory = run_dir if resume is None else resume
    with options.readable_errors():
        options.check_writable(save_plot)
        if resume is None:
            configuration = _configuration(preset, given)
        else:
            places = {"preset": preset, "run_dir": run_dir}
            named = {name for name, value in places.items() if value is not None}
            _refuse_beside_resume(context.command, named | given.keys())
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
                progress=progress,
                on_epoch_end=_print_epoch,
                resume=resume is not None,
                checkpoint_every=checkpoint_every,
                tensorboard=tensorboard,
            )
        except KeyboardInterrupt:
            if directory is None:
                raise
            raise options.Interrupted(
                f"stopped by Ctrl-C; go on with: cep train --resume {directory}"
            ) from None
        _report(result)
        if save_plot is not None:
            title = f"{configuration.title}: test error {result.test_error:.2%}"
            plots.save(plots.plot_history(result.history, title=title), save_plot)
            click.echo(f"picture        {save_plot}")


def _configuration(preset: str | None, given: dict[str, Any]) -> Configuration:
    """What the options given make of a preset, or of the defaults for data, rule and depth."""
    rates = given.get("learning_rates")
    if rates is not None and len(rates) == 1:
        given = given | {"learning_rates": rates[0]}
    if preset is not None:
        return presets.get(preset).configuration.replace(**given)
    data, rule = given.get("data", "digits"), given.get("rule", "c-ep")
    depth = len(given.get("hidden", (0,)))
    base = presets.defaults(data, rule, depth)
    if depth > len(base.hidden) and rates is None:
        raise click.UsageError(
            f"there are no default learning rates for {depth} hidden layers with {rule} on {data}: "
            f"give --learning-rates, {depth + 1} numbers, input first"
        )
    return base.replace(**given)


def _refuse_beside_resume(command: click.Command, given: Iterable[str]) -> None:
    """A run goes on as it was: what it is like, and where it is kept, is said already."""
    for parameter in command.params:
        if parameter.name in given:
            raise click.UsageError(
                f"--resume takes the configuration from its run: leave out {parameter.opts[0]}"
            )


def _print_epoch(history: History) -> None:
    from tqdm import tqdm

    # tqdm.write keeps the line and the progress bars apart.
    tqdm.write(
        f"{len(history):5}  {history.train_error[-1]:11.2%}  {history.train_loss[-1]:10.4f}  "
        f"{history.validation_error[-1]:10.2%}  {history.validation_loss[-1]:9.4f}  "
        f"{history.seconds[-1]:7.2f}"
    )


def _report(result: RunResult) -> None:
    if result.reason == "diverged":
        raise ArithmeticError(f"after {len(result.history)} epochs: {result.message}")
    if result.reason == "patience":
        click.echo(f"stopped        no lower test error since epoch {result.best_epoch}")
    click.echo(
        f"test error     {result.test_error:.2%} after the last epoch, "
        f"{result.best_test_error:.2%} after the best one ({result.seconds:.1f} s)"
    )
