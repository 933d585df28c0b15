"""What the subcommands share: options, pictures, errors."""

import os
import shlex
import shutil
import signal
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cep._util.extras import import_extra
from cep._util.signals import Terminated


class Stopped(click.ClickException):
    """Ctrl-C or SIGTERM, with the status that shells give to it, and the command to go on with."""

    def __init__(self, error: KeyboardInterrupt | Terminated, command: str | None = None) -> None:
        is_killed = isinstance(error, Terminated)
        self.exit_code = 128 + (signal.SIGTERM if is_killed else signal.SIGINT)  # type: ignore[misc]
        stopped = f"stopped by {'SIGTERM' if is_killed else 'Ctrl-C'}"
        super().__init__(stopped if command is None else f"{stopped}; go on with: {command}")


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


def columns() -> int | None:
    """The width of the terminal; None if standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_wrapped(name: str, text: str) -> None:
    """Print what something is, in a terminal without breaking words."""
    line = f"{name:14} {text}"
    width = columns()
    if width is not None:
        line = textwrap.fill(line, width, subsequent_indent=" " * 15, break_long_words=False)
    click.echo(line)


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
        raise Stopped(error, f"cep {shlex.join(sys.argv[1:])}") from None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    from tqdm import tqdm

    tqdm.write(f"{category.__name__}: {message}", file=sys.stderr)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Show expected errors as their message, without a traceback, and warnings on one line."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except BrokenPipeError:
        raise ReaderGone from None
    except (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError) as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, Terminated) as error:
        raise Stopped(error) from None
