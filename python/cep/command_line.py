"""The ``cep`` command."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import cep as package
from cep import datasets, plots
from cep.network import Network
from cep.rules import CEP, EP
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
    ("digits", "c-ep", 1): Defaults((128,), 30, 10, 0.5, (0.04, 0.015), 80),
    ("mnist", "ep", 1): Defaults((512,), 30, 10, 0.1, (0.08, 0.04), 30),
    ("mnist", "ep", 2): Defaults((512, 512), 100, 20, 0.5, (0.2, 0.05, 0.005), 50),
    ("mnist", "c-ep", 1): Defaults((512,), 40, 15, 0.2, (0.0056, 0.0028), 100),
    ("mnist", "c-ep", 2): Defaults((512, 512), 100, 20, 0.5, (0.01, 0.0018, 0.00018), 150),
}
RULES: dict[str, type[EP | CEP]] = {"ep": EP, "c-ep": CEP}
DIGITS_TEST_IMAGES = 360


class Numbers(click.ParamType):
    """Comma-separated numbers."""

    def __init__(self, number: Callable[[str], float], name: str) -> None:
        self.number = number
        self.name = name

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """Read "0.05,0.02"."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self.number(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list like {self.name}", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__)
def cep() -> None:
    """Equilibrium Propagation with continual weight updates.

    Train networks that learn by relaxing: first freely, then nudged towards the target, with
    updates that are local to each synapse (Ernoult et al., 2020, arXiv 2005.04168).

    \b
    Start with:  cep train                          C-EP on 1,797 handwritten digits, seconds
                 cep train --data mnist --rule ep   the paper's EP-1h, minutes
    """


@cep.command(context_settings={"show_default": True})
@click.option(
    "--data",
    type=click.Choice(["digits", "mnist"]),
    default="digits",
    help="What to learn: scikit-learn's 8×8 digits (360 of the 1,797 held out) or MNIST.",
)
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    help="Folder with MNIST's files; otherwise $CEP_DATA, the cache, or a download.",
)
@click.option(
    "--rule",
    type=click.Choice(list(RULES)),
    default="c-ep",
    help="ep: one update a batch. c-ep: an update at every step of the nudged phase.",
)
@click.option(
    "--hidden",
    type=Numbers(int, "128 or 512,512"),
    metavar="UNITS[,UNITS…]",
    help="Units of the hidden layers.  [default: digits 128, mnist 512]",
)
@click.option(
    "--activation",
    type=click.Choice(["shifted_sigmoid", "hard_sigmoid", "tanh"]),
    default="shifted_sigmoid",
    help="Activation function of all layers.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    help="Number type of parameters and states.",
)
@click.option("--free-steps", type=int, help="Steps T of the free phase.  [default: by data]")
@click.option("--nudged-steps", type=int, help="Steps K of the nudged phase.  [default: by data]")
@click.option("--beta", type=float, help="Strength β of the nudging.  [default: by data]")
@click.option(
    "--learning-rates",
    type=Numbers(float, "0.05,0.02"),
    metavar="RATE[,RATE…]",
    help="One for all connections, or one each, input first.  [default: by data]",
)
@click.option("--epochs", type=int, help="Passes over the training data.  [default: by data]")
@click.option("--batch-size", type=int, default=20, help="Samples a batch.")
@click.option("--seed", type=int, default=0, help="Of parameters, split and order of samples.")
@click.option(
    "--save-plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the error curves into this file (.png, .svg, .pdf).",
)
@click.option("--progress/--no-progress", default=True, help="Whether to show a progress bar.")
def train(
    data: str,
    data_root: Path | None,
    rule: str,
    hidden: tuple[int, ...] | None,
    activation: str,
    dtype: str,
    free_steps: int | None,
    nudged_steps: int | None,
    beta: float | None,
    learning_rates: tuple[float, ...] | None,
    epochs: int | None,
    batch_size: int,
    seed: int,
    save_plot: Path | None,
    progress: bool,
) -> None:
    """Train a network and print its test error.

    Without options: C-EP on the digits. Every epoch prints a line; the test data is only measured,
    never learned from.
    """
    defaults = _defaults(data, rule, hidden, needs_rates=learning_rates is None)
    try:
        if save_plot is not None:
            _check_writable(save_plot)
        training_data, test_data = _load(data, data_root, seed)
        net = Network(
            [training_data[0].shape[1], *(hidden or defaults.hidden), 10],
            activation=activation,
            dtype=dtype,
            seed=seed,
        )
        rates = learning_rates or defaults.learning_rates
        learning_rule = RULES[rule](
            free_steps=_given(free_steps, defaults.free_steps),
            nudged_steps=_given(nudged_steps, defaults.nudged_steps),
            beta=_given(beta, defaults.beta),
            learning_rates=rates[0] if len(rates) == 1 else rates,
        )
        click.echo(f"network        {net!r}")
        click.echo(f"rule           {learning_rule!r}")
        click.echo(f"data           {data}: {len(training_data[0])} to learn, {len(test_data[0])} to test")
        click.echo("epoch  train error  train loss  test error  test loss  seconds")
        history = fit(
            net,
            training_data,
            learning_rule,
            _given(epochs, defaults.epochs),
            batch_size=batch_size,
            validation_data=test_data,
            seed=seed,
            progress=progress,
            on_epoch_end=_print_epoch,
        )
        test = evaluate(net, test_data, learning_rule.free_steps)
    except (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("stopped by Ctrl-C") from None
    best = min(history.validation_error)
    click.echo(
        f"test error     {test.error:.2%} after the last epoch, {best:.2%} after the best one "
        f"({sum(history.seconds):.1f} s)"
    )
    if save_plot is not None:
        title = f"{learning_rule.name} on {data}: test error {test.error:.2%}"
        axes = plots.plot_history(history, title=title)
        axes.figure.savefig(save_plot, dpi=150)
        click.echo(f"picture        {save_plot}")


def _given(value: Any, default: Any) -> Any:
    return default if value is None else value


def _defaults(
    data: str, rule: str, hidden: tuple[int, ...] | None, *, needs_rates: bool
) -> Defaults:
    depth = 1 if hidden is None else len(hidden)
    deepest = max(layers for d, r, layers in DEFAULTS if (d, r) == (data, rule))
    if depth > deepest and needs_rates:
        raise click.UsageError(
            f"there are no default learning rates for {depth} hidden layers with {rule} on {data}: "
            f"give --learning-rates, {depth + 1} numbers, input first"
        )
    return DEFAULTS[data, rule, min(depth, deepest)]


def _load(data: str, root: Path | None, seed: int) -> tuple[datasets.Dataset, datasets.Dataset]:
    if data == "mnist":
        return datasets.mnist(root)
    return datasets.split(datasets.digits(), DIGITS_TEST_IMAGES, seed=seed)


def _check_writable(path: Path) -> None:
    """Better known now than after an hour of training."""
    if not path.parent.is_dir():
        raise ValueError(f"--save-plot: there is no folder {path.parent}")
    if path.suffix not in {".png", ".svg", ".pdf"}:
        raise ValueError(f"--save-plot: {path.name} must end in .png, .svg or .pdf")


def _print_epoch(history: History) -> None:
    from tqdm import tqdm

    # tqdm.write keeps the line and the progress bar apart.
    tqdm.write(
        f"{len(history):5}  {history.train_error[-1]:11.2%}  {history.train_loss[-1]:10.4f}  "
        f"{history.validation_error[-1]:10.2%}  {history.validation_loss[-1]:9.4f}  "
        f"{history.seconds[-1]:7.2f}"
    )
