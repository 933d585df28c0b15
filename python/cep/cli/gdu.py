"""``cep gdu``."""

import json
import warnings
from pathlib import Path

import click

from cep import datasets
from cep.cli import options
from cep.experiments.configuration import Configuration
from cep.learning.theorem import ConvergenceWarning, gdu_check
from cep.network.network import Network
from cep.plotting.plots import DPI


@click.command(context_settings={"show_default": True})
@options.data
@options.data_root
@options.hidden
@options.dynamics(activation="tanh")
@options.free_steps
@options.nudged_steps
@options.beta
@options.learning_rates
@click.option("--batch-size", type=int, default=1, help="Samples, the first of the test data.")
@options.seed
@click.option(
    "--asymmetry",
    type=click.Choice(["vector-field", "exact"]),
    default="vector-field",
    help="Untied feedback: the nudged phase as it is, or corrected so that updates are exact.",
)
@options.save_plot("updates (dashed) and minus gradients (solid)")
@click.option(
    "--save-json",
    type=options.Home(dir_okay=False),
    metavar="FILE",
    help="Write all curves and figures into this file.",
)
def gdu(
    data: str,
    data_root: Path | None,
    hidden: tuple[int | str, ...] | None,
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
    learning_rates: tuple[float, ...] | None,
    batch_size: int,
    seed: int,
    asymmetry: str,
    save_plot: Path | None,
    save_json: Path | None,
) -> None:
    """Hold each update of the nudged phase against minus the BPTT gradient, step by step.

    Theorem 1 of Ernoult et al. (2020), on a freshly drawn network. The defaults are the paper's
    conditions: T = 150, K = 10, β = 0.01 in the prototypical setting, T = 800, K = 80, β = 0.005 in
    the real-time one (where the paper has --dt 0.08 --no-clamp), and weights that stay as they are
    (learning rates 0; the paper has 2e-5 for C-EP and C-VF).
    """
    published = (150, 10, 0.01) if setting == "prototypical" else (800, 80, 0.005)
    with options.readable_errors():
        options.check_writable(save_plot)
        if batch_size < 1:
            raise ValueError(f"--batch-size must be 1 or more, got {batch_size}")
        _, (x, y) = datasets.load(data, data_root, seed=seed)
        units = (128,) if data == "digits" else (512,)
        net = Network(
            Configuration(
                data=data, hidden=options.given(hidden, units), learning_rates=0.0
            ).layers,
            setting=setting,
            activation=activation,
            dt=dt,
            clamp=clamp,
            feedback=feedback,
            feedback_angle=feedback_angle,
            dtype=dtype,
            seed=seed,
        )
        rates = options.given(learning_rates, (0.0,))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            report = gdu_check(
                net,
                x[:batch_size],
                y[:batch_size],
                options.given(free_steps, published[0]),
                options.given(nudged_steps, published[1]),
                options.given(beta, published[2]),
                rates[0] if len(rates) == 1 else rates,
                asymmetry=asymmetry,
            )
        for warning in caught:
            click.echo(f"warning: {warning.message}", err=True)
        click.echo(str(report))
        if save_plot is not None:
            report.plot().savefig(save_plot, dpi=DPI)
            click.echo(f"picture: {save_plot}")
        if save_json is not None:
            save_json.write_text(json.dumps(report.to_dict()))
            click.echo(f"curves: {save_json}")
