"""Options that say what is trained, and the configuration that they make."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cep.cli import options
from cep.experiments import overrides, presets
from cep.experiments.configuration import Configuration
from cep.experiments.data import RunData
from cep.training.diagnostics import KINDS

_OPTIONS = (
    click.option(
        "--preset",
        metavar="NAME",
        help="Start from a published experiment, such as EP-1h or C-VF-2h.",
    ),
    options.data,
    options.data_root,
    click.option(
        "--rule",
        type=click.Choice(["ep", "c-ep", "bptt"]),
        default="c-ep",
        help="ep: one update a batch. c-ep: an update at every step of the nudged phase. bptt: the "
        "exact gradient, with ep's hyperparameters, to compare with.",
    ),
    options.hidden,
    options.dynamics(activation="shifted_sigmoid"),
    click.option(
        "--relaxation",
        type=click.Choice(["synchronous", "alternating"]),
        default="synchronous",
        help="Free phases: all layers at once, or odd ones first and then even ones.",
    ),
    click.option(
        "--tolerance",
        type=float,
        default=0.0,
        help="Change of a step up to which a sample is taken to be at rest.",
    ),
    click.option(
        "--loss",
        type=click.Choice(["squared_error", "cross_entropy"]),
        help="What is trained for; the output layer is linear with cross_entropy.  [default: "
        "squared_error, with a readout cross_entropy]",
    ),
    click.option(
        "--readout/--no-readout",
        default=False,
        help="Whether the last layer is a softmax readout outside the dynamics.",
    ),
    click.option(
        "--nudging",
        type=click.Choice(["outside", "inside"]),
        help="Prototypical setting: where the pull acts, outside or inside the activation.  "
        "[default: outside, with a readout inside]",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(["sgd", "adam"]),
        default="sgd",
        help="From the estimated gradient to the change of the parameters.",
    ),
    click.option("--momentum", type=float, default=0.0, help="Of SGD, in [0, 1)."),
    click.option("--weight-decay", type=float, default=0.0, help="Added to the gradient."),
    options.free_steps,
    options.nudged_steps,
    options.beta,
    click.option(
        "--beta-sign",
        type=click.Choice(["fixed", "random", "symmetric"]),
        default="fixed",
        help="Sign of β: as given, drawn for each batch, or both (ep only).",
    ),
    click.option(
        "--feedback-update",
        type=click.Choice(["own", "shared"]),
        default="own",
        help="Untied feedback: an update of each set of weights, or the same for both.",
    ),
    click.option(
        "--feedback-learning-rates",
        type=options.Several(float, "0 or 0.05,0.02"),
        metavar="RATE[,RATE…]",
        help="Of feedback weights; 0 holds them as they are.  [default: the learning rates]",
    ),
    click.option(
        "--asymmetry",
        type=click.Choice(["vector-field", "exact"]),
        default="vector-field",
        help="Untied feedback: the nudged phase as it is, or corrected so that updates are exact.",
    ),
    click.option(
        "--flip/--no-flip", default=False, help="Mirror training images, each with p = ½."
    ),
    click.option(
        "--crop", type=int, default=0, metavar="PIXELS", help="Shift training images at random."
    ),
    options.learning_rates,
    click.option(
        "--learning-rate-decay",
        type=float,
        default=1.0,
        help="Factor on all learning rates after every epoch.",
    ),
    click.option(
        "--learning-rate-schedule",
        type=options.Several(overrides.epoch_and_factor, "50:0.1,80:0.01"),
        metavar="EPOCH:FACTOR[,…]",
        help="From an epoch on, the initial learning rates times this factor.",
    ),
    click.option("--epochs", type=int, help="Passes over the training data.  [default: see above]"),
    click.option("--batch-size", type=int, default=20, help="Samples a batch."),
    options.seed,
    click.option(
        "--patience", type=int, help="Stop after so many epochs without a lower validation error."
    ),
    click.option(
        "--validation-fraction",
        type=float,
        default=0.1,
        help="Share of the training data that is held out to validate; 0: none.",
    ),
    click.option(
        "--test-every-epoch/--test-at-the-end",
        default=False,
        help="Evaluate the test data after every epoch, for curves, or once, at the end.",
    ),
    click.option(
        "--record-every", type=int, metavar="BATCHES", help="Record how the network is, so often."
    ),
    click.option(
        "--record",
        "record_kinds",
        type=options.Several(str, "residuals,energy"),
        metavar="KIND[,KIND…]",
        help=f"What to record: {', '.join(KINDS)}.  [default: all]",
    ),
)


def configuration_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(context: click.Context, fields: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that the user gave."""
    return {
        name: value
        for name, value in fields.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }


# Data sets that are not files.
_WITHOUT_ROOT = ("digits", "wine", "breast_cancer")


def with_data(
    preset: str | None, given: dict[str, Any], data_root: Path | None
) -> tuple[Configuration, RunData | None]:
    """What `configuration` makes of the options, and the file of the data if --data names one."""
    path = Path(given["data"]).expanduser() if "data" in given else Path()
    is_file = path.suffix == ".npz"
    found = configuration(preset, given | ({"data": path.stem} if is_file else {}))
    if data_root is not None and (is_file or found.data in _WITHOUT_ROOT):
        raise click.UsageError("--data-root has no effect on these data: leave it out")
    if is_file and not path.is_file():
        raise FileNotFoundError(f"--data: there is no file {path}")
    return found, path if is_file else None


def configuration(preset: str | None, given: dict[str, Any]) -> Configuration:
    """What the options given make of a preset, or of the defaults for data, rule and depth."""
    rates = given.get("learning_rates")
    for name in ("learning_rates", "feedback_learning_rates"):
        if len(given.get(name, ())) == 1:
            given = given | {name: given[name][0]}
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
