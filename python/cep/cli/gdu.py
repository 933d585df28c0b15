"""``cep gdu``."""

import json
import warnings
from pathlib import Path
from typing import Any

import click

from cep.cli import configuring, options
from cep.experiments.configuration import Configuration
from cep.experiments.data import splits_of
from cep.learning.theorem import ConvergenceWarning, gdu_check
from cep.plotting.plots import DPI

_NAMES = (
    *("data", "hidden", "setting", "activation", "dt", "clamp", "feedback", "feedback_angle"),
    *("follows_energy", "dtype", "loss", "readout", "nudging", "connections", "free_steps"),
    *("nudged_steps", "beta", "learning_rates", "bias_learning_rates", "batch_size", "seed"),
    "asymmetry",
)
_DEFAULTS: dict[str, Any] = {
    "activation": "tanh",
    "relaxation": "synchronous",
    "learning_rates": 0.0,
    "batch_size": 1,
}
# The values of the paper.
_PUBLISHED = {
    "prototypical": {"free_steps": 150, "nudged_steps": 10, "beta": 0.01},
    "real-time": {"free_steps": 800, "nudged_steps": 80, "beta": 0.005},
}


@click.command()
@configuring.configuration_options(_NAMES, activation="tanh", learning_rates="0", batch_size="1")
@options.save_plot("updates (dashed) and negative gradients (solid)")
@click.option(
    "--save-json",
    type=options.Home(dir_okay=False),
    metavar="FILE",
    help="Write all curves and figures into this file.",
)
@click.pass_context
def gdu(
    context: click.Context,
    /,
    data_root: Path | None,
    save_plot: Path | None,
    save_json: Path | None,
    **fields: Any,
) -> None:
    """Compare updates with gradients, step by step.

    Each update of the nudged phase is compared with the negative gradient of BPTT. This tests
    Theorem 1 of Ernoult et al. (2020) with an untrained network and the first samples of the test
    data. The defaults are the values of the paper: T = 150, K = 10, β = 0.01 in the
    prototypical setting, and T = 800, K = 80, β = 0.005 in the real-time setting (the paper also
    has --dt 0.08 --no-clamp). The learning rates are 0, so that the weights do not change; the
    paper has 2e-5 for C-EP and C-VF. The hidden layer has 128 units for the digits and 512 for
    other data.
    """
    given = configuring.given(context, fields)
    units = (128,) if given.get("data", "digits") == "digits" else (512,)
    published = _PUBLISHED.get(given.get("setting", ""), _PUBLISHED["prototypical"])
    with options.readable_errors():
        options.check_writable(save_plot)
        configuration, data = configuring.with_data(
            given,
            data_root,
            lambda given: Configuration(**{**_DEFAULTS, "hidden": units, **published, **given}),
        )
        configuring.refuse_without_effect(given, [configuration])
        splits = splits_of(configuration, data, data_root)
        configuration = configuration.of_data(splits.inputs, splits.classes)
        net = configuration.make_network()
        splits = splits.as_for(net.shapes[0])
        x, y = splits.test or splits.train
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            rule = configuration.make_rule()
            report = gdu_check(
                net,
                x[: configuration.batch_size],
                y[: configuration.batch_size],
                configuration.free_steps,
                configuration.nudged_steps,
                configuration.beta,
                rule.spread_learning_rates(len(net.weights))[0],
                bias_learning_rates=rule.bias_learning_rates,
                asymmetry=configuration.asymmetry,
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
