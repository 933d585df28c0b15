"""What the subcommands share: kinds of options, data, errors."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cep import datasets
from cep._engine.words import ACTIVATIONS
from cep._util import validation
from cep._util.extras import import_extra
from cep._util.signals import Terminated
from cep.experiments import overrides


class Interrupted(click.ClickException):
    """Ctrl-C, with the exit status that shells give to it."""

    exit_code = 128 + signal.SIGINT
    by = "Ctrl-C"

    def __init__(self, command: str | None = None) -> None:
        stopped = f"stopped by {self.by}"
        super().__init__(stopped if command is None else f"{stopped}; go on with: {command}")


class Killed(Interrupted):
    """SIGTERM, likewise."""

    exit_code = 128 + signal.SIGTERM
    by = "SIGTERM"


class ReaderGone(click.ClickException):
    """Whoever read the output has stopped, as head does: a quiet end, with SIGPIPE's status."""

    exit_code = 128 + signal.SIGPIPE

    def __init__(self) -> None:
        super().__init__("nobody reads the output")

    def show(self, file: Any = None) -> None:
        """Nothing; and let what Python still has to write at its end go nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())


def interrupted(error: KeyboardInterrupt | Terminated, command: str | None = None) -> Interrupted:
    """What to end with, and the command to go on with, if there is one."""
    return Killed(command) if isinstance(error, Terminated) else Interrupted(command)


class Several(click.ParamType[tuple[Any, ...]]):
    """Comma-separated values."""

    def __init__(self, read: Callable[[str], Any], name: str) -> None:
        self.read = read
        self.name = name

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[Any, ...]:
        """Read "0.05,0.02"."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self.read(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list like {self.name}", param, ctx)


class DataSet(click.ParamType[str]):
    """The name of a data set, or of an .npz file."""

    name = "data"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Refuse other names."""
        if value not in datasets.SHAPES and not str(value).endswith(".npz"):
            known = [*datasets.SHAPES, "FILE.npz"]
            self.fail(validation.unknown("data set", value, known), param, ctx)
        return str(value)


data = click.option(
    "--data",
    type=DataSet(),
    default="digits",
    metavar="NAME|FILE.npz",
    help=f"{', '.join(datasets.SHAPES)}, or a file with the arrays x and y, and perhaps x_test, "
    "y_test, x_validation and y_validation.",
)


class Home(click.Path):
    """A path, in which ~ stands for the home folder: shells leave the one of --option=~/x."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Expand it."""
        return super().convert(os.path.expanduser(value), param, ctx)


data_root = click.option(
    "--data-root",
    type=Home(),
    help="Folder with the data's files; otherwise $CEP_DATA, the cache, or a download.",
)
hidden = click.option(
    "--hidden",
    type=Several(overrides.layer, "128 or 512,512 or conv2d:32:5:pool=max,conv2d:64:5:pool=max"),
    metavar="LAYER[,LAYER…]",
    help="The hidden layers: units, or convolutions as conv2d:CHANNELS:KERNEL with :stride=N, "
    ":padding=N and :pool=max or :pool=average where there are some.  [default: digits 128, "
    "others 512]",
)
seed = click.option(
    "--seed", type=int, default=0, help="Of parameters, split and order of samples."
)
beta = click.option("--beta", type=float, help="Strength β of the nudging.  [default: see above]")
free_steps = click.option(
    "--free-steps", type=int, help="Steps T of the free phase.  [default: see above]"
)
nudged_steps = click.option(
    "--nudged-steps", type=int, help="Steps K of the nudged phase.  [default: see above]"
)
learning_rates = click.option(
    "--learning-rates",
    type=Several(float, "0.05,0.02"),
    metavar="RATE[,RATE…]",
    help="One for all connections, or one each, input first.  [default: see above]",
)


def dynamics(activation: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options that say how a network moves, with the default activation given."""
    kinds = [
        click.option(
            "--setting",
            type=click.Choice(["prototypical", "real-time"]),
            default="prototypical",
            help="How states move: in discrete steps, or by s ← s + dt·ds/dt.",
        ),
        click.option(
            "--activation",
            type=click.Choice(list(ACTIVATIONS)),
            default=activation,
            help="Activation function of all layers.",
        ),
        click.option("--dt", type=float, default=0.2, help="Time step of the real-time setting."),
        click.option(
            "--clamp/--no-clamp",
            default=True,
            help="Real-time setting: whether states are clamped to [0, 1].",
        ),
        click.option(
            "--feedback",
            type=click.Choice(["tied", "untied"]),
            default="tied",
            help="Through the transposed forward weights, or weights of its own (VF, C-VF).",
        ),
        click.option(
            "--feedback-angle",
            type=float,
            default=0.0,
            help="Untied: initial degrees between feedback and forward weights, 0 to 180.",
        ),
        click.option(
            "--dtype",
            type=click.Choice(["float32", "float64"]),
            default="float32",
            help="Number type of parameters and states.",
        ),
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(kinds):
            command = option(command)
        return command

    return decorate


def save_plot(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option to draw a picture."""
    return click.option(
        "--save-plot",
        type=Home(dir_okay=False),
        metavar="FILE",
        help=f"Draw {what} into this file (.png, .svg, .pdf).",
    )


def check_writable(path: Path | None, option: str = "--save-plot") -> None:
    """Raise what is wrong with a picture's path: better known now than after an hour of work."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise ValueError(f"{option}: there is no folder {path.parent}")
    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise ValueError(f"{option}: {path.name} must end in .png, .svg or .pdf")
    import_extra("matplotlib.figure", "drawing", "plot")


def refuse(command: click.Command, given: Iterable[str], why: str) -> None:
    """Refuse the first option of a command that was given, where any was."""
    for parameter in command.params:
        if parameter.name in given:
            raise click.UsageError(f"{why}: leave out {parameter.opts[0]}")


def given(value: Any, default: Any) -> Any:
    """The value, or its default where there is none."""
    return default if value is None else value


def print_beside_bars(line: str) -> None:
    """Print a line while progress bars are shown, which it is kept apart from; at once."""
    from tqdm import tqdm

    tqdm.write(line)
    sys.stdout.flush()


@contextmanager
def same_command_goes_on() -> Iterator[None]:
    """Ctrl-C or SIGTERM ends with the command to go on with: the one that was given."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as error:
        raise interrupted(error, f"cep {shlex.join(sys.argv[1:])}") from None


@contextmanager
def readable_errors() -> Iterator[None]:
    """What a user can do something about ends with its message, not with a traceback."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None
    except (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError) as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, Terminated) as error:
        raise interrupted(error) from None
