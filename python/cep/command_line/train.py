"""``cep train``."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cep import plots, presets
from cep.command_line import options
from cep.configuration import Configuration
from cep.history import History
from cep.runs import run


@click.command(context_settings={"show_default": True})
@click.option("--preset", metavar="NAME", help="Start from a published experiment: EP-1h, C-VF-2h…")
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
@click.option("--epochs", type=int, help="Passes over the training data.  [default: see above]")
@click.option("--batch-size", type=int, default=20, help="Samples a batch.")
@options.seed
@options.save_plot("the error curves")
@click.option("--progress/--no-progress", default=True, help="Whether to show a progress bar.")
@click.pass_context
def train(
    context: click.Context,
    /,
    preset: str | None,
    data_root: Path | None,
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
    with options.readable_errors():
        options.check_writable(save_plot)
        configuration = _configuration(preset, given)
        click.echo(f"network        {configuration.make_network()!r}")
        click.echo(f"rule           {configuration.make_rule()!r}")
        training_data, test_data = configuration.load_data(data_root)
        click.echo(
            f"data           {configuration.data}: {len(training_data[0])} to learn, "
            f"{len(test_data[0])} to test"
        )
        click.echo("epoch  train error  train loss  test error  test loss  seconds")
        result = run(
            configuration, data_root=data_root, progress=progress, on_epoch_end=_print_epoch
        )
        if result.reason == "diverged":
            raise ArithmeticError(result.message)
        click.echo(
            f"test error     {result.test_error:.2%} after the last epoch, "
            f"{result.best_test_error:.2%} after the best one ({result.seconds:.1f} s)"
        )
        if save_plot is not None:
            name = configuration.make_rule().name
            title = f"{name} on {configuration.data}: test error {result.test_error:.2%}"
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


def _print_epoch(history: History) -> None:
    from tqdm import tqdm

    # tqdm.write keeps the line and the progress bar apart.
    tqdm.write(
        f"{len(history):5}  {history.train_error[-1]:11.2%}  {history.train_loss[-1]:10.4f}  "
        f"{history.validation_error[-1]:10.2%}  {history.validation_loss[-1]:9.4f}  "
        f"{history.seconds[-1]:7.2f}"
    )
