"""``cep train``."""

from dataclasses import dataclass
from pathlib import Path

import click

from cep import plots
from cep.command_line import options
from cep.network import Network
from cep.rules import BPTT, CEP, EP, LearningRule
from cep.training import History, evaluate, fit


@dataclass(frozen=True)
class Defaults:
    """Hyperparameters that suit a data set, a rule and a depth."""

    hidden: tuple[int, ...]
    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: tuple[float, ...]
    epochs: int


# By data, rule and number of hidden layers. MNIST: the published hyperparameters (Ernoult et al.,
# 2020); digits: ours.
DEFAULTS = {
    ("digits", "ep", 1): Defaults((128,), 30, 10, 0.5, (0.1, 0.05), 40),
    ("digits", "c-ep", 1): Defaults((128,), 50, 10, 0.5, (0.03, 0.008), 100),
    ("mnist", "ep", 1): Defaults((512,), 30, 10, 0.1, (0.08, 0.04), 30),
    ("mnist", "ep", 2): Defaults((512, 512), 100, 20, 0.5, (0.2, 0.05, 0.005), 50),
    ("mnist", "c-ep", 1): Defaults((512,), 40, 15, 0.2, (0.0056, 0.0028), 100),
    ("mnist", "c-ep", 2): Defaults((512, 512), 100, 20, 0.5, (0.01, 0.0018, 0.00018), 150),
}


@click.command(context_settings={"show_default": True})
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
def train(
    data: str,
    data_root: Path | None,
    rule: str,
    hidden: tuple[int, ...] | None,
    setting: str,
    activation: str,
    dt: float,
    clamp: bool,
    feedback: str,
    feedback_angle: float,
    dtype: str,
    free_steps: int | None,
    nudged_steps: int | None,
    beta: float | None,
    beta_sign: str,
    learning_rates: tuple[float, ...] | None,
    epochs: int | None,
    batch_size: int,
    seed: int,
    save_plot: Path | None,
    progress: bool,
) -> None:
    """Train a network and print its test error.

    Without options: C-EP on the digits. Every epoch prints a line; the test data is only measured,
    never learned from. Steps, β, learning rates and epochs depend on data, rule and depth: on MNIST
    they are those of Ernoult et al. (2020).
    """
    with options.readable_errors():
        options.check_writable(save_plot)
        defaults = _defaults(data, rule, hidden, needs_rates=learning_rates is None)
        training_data, test_data = options.load(data, data_root, seed)
        net = Network(
            [training_data[0].shape[1], *options.given(hidden, defaults.hidden), 10],
            setting=setting,
            activation=activation,
            dt=dt,
            clamp=clamp,
            feedback=feedback,
            feedback_angle=feedback_angle,
            dtype=dtype,
            seed=seed,
        )
        learning_rule = _rule(
            rule,
            Defaults(
                defaults.hidden,
                options.given(free_steps, defaults.free_steps),
                options.given(nudged_steps, defaults.nudged_steps),
                options.given(beta, defaults.beta),
                options.given(learning_rates, defaults.learning_rates),
                options.given(epochs, defaults.epochs),
            ),
            beta_sign,
        )
        click.echo(f"network        {net!r}")
        click.echo(f"rule           {learning_rule!r}")
        click.echo(
            f"data           {data}: {len(training_data[0])} to learn, {len(test_data[0])} to test"
        )
        click.echo("epoch  train error  train loss  test error  test loss  seconds")
        history = fit(
            net,
            training_data,
            learning_rule,
            options.given(epochs, defaults.epochs),
            batch_size=batch_size,
            validation_data=test_data,
            seed=seed,
            progress=progress,
            on_epoch_end=_print_epoch,
        )
        test = evaluate(net, test_data, learning_rule.free_steps)
        click.echo(
            f"test error     {test.error:.2%} after the last epoch, "
            f"{min(history.validation_error):.2%} after the best one "
            f"({sum(history.seconds):.1f} s)"
        )
        if save_plot is not None:
            title = f"{learning_rule.name} on {data}: test error {test.error:.2%}"
            axes = plots.plot_history(history, title=title)
            plots.save(axes, save_plot)
            click.echo(f"picture        {save_plot}")


def _defaults(
    data: str, rule: str, hidden: tuple[int, ...] | None, *, needs_rates: bool
) -> Defaults:
    published = "ep" if rule == "bptt" else rule
    depth = 1 if hidden is None else len(hidden)
    deepest = max(layers for d, r, layers in DEFAULTS if (d, r) == (data, published))
    if depth > deepest and needs_rates:
        raise click.UsageError(
            f"there are no default learning rates for {depth} hidden layers with {rule} on {data}: "
            f"give --learning-rates, {depth + 1} numbers, input first"
        )
    return DEFAULTS[data, published, min(depth, deepest)]


def _rule(rule: str, values: Defaults, beta_sign: str) -> LearningRule:
    rates = values.learning_rates
    each = rates[0] if len(rates) == 1 else rates
    if rule == "bptt":
        return BPTT(values.free_steps, learning_rates=each)
    kind = EP if rule == "ep" else CEP
    return kind(
        values.free_steps,
        values.nudged_steps,
        values.beta,
        each,
        beta_sign=beta_sign,  # type: ignore[arg-type]
    )


def _print_epoch(history: History) -> None:
    from tqdm import tqdm

    # tqdm.write keeps the line and the progress bar apart.
    tqdm.write(
        f"{len(history):5}  {history.train_error[-1]:11.2%}  {history.train_loss[-1]:10.4f}  "
        f"{history.validation_error[-1]:10.2%}  {history.validation_loss[-1]:9.4f}  "
        f"{history.seconds[-1]:7.2f}"
    )
