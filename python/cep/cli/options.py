"""Options, plots and errors that the subcommands share."""

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
    """Ctrl-C or SIGTERM, with the exit status of shells and the command that continues."""

    def __init__(self, error: KeyboardInterrupt | Terminated, command: str | None = None) -> None:
        is_killed = isinstance(error, Terminated)
        self.exit_code = 128 + (signal.SIGTERM if is_killed else signal.SIGINT)  # type: ignore[misc]
        stopped = f"stopped by {'SIGTERM' if is_killed else 'Ctrl-C'}"
        super().__init__(stopped if command is None else f"{stopped}; continue with: {command}")


class OutputClosed(click.ClickException):
    """Standard output was closed, as by head. Exits without a message, with SIGPIPE's status."""

    exit_code = 128 + signal.SIGPIPE

    def __init__(self) -> None:
        super().__init__("standard output was closed")

    def show(self, file: Any = None) -> None:
        """Show nothing, and discard the output that Python flushes at exit."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())


class Home(click.Path):
    """A path in which ~ is the home folder. Shells do not expand it in --option=~/x."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Expand ~ and check the path."""
        return super().convert(os.path.expanduser(value), param, ctx)


data_root = click.option(
    "--data-root",
    type=Home(),
    help="Folder with the data's files; otherwise $CEP_DATA, the cache, or a download.",
)


def save_plot(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option --save-plot."""
    return click.option(
        "--save-plot",
        type=Home(dir_okay=False),
        metavar="FILE",
        help=f"Draw {what} into this file (.png, .svg, .pdf).",
    )


def check_writable(path: Path | None, option: str = "--save-plot") -> None:
    """Raise an error if a plot cannot be saved to this path, before a long computation."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise ValueError(f"{option}: folder {path.parent} does not exist")
    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise ValueError(f"{option}: {path.name} must end in .png, .svg or .pdf")
    import_extra("matplotlib.figure", "drawing", "plot")


def named(parameters: tuple[str, ...], expected: str) -> dict[str, str]:
    """The texts of the options --param NAME=TEXT, by name."""
    texts: dict[str, str] = {}
    for parameter in parameters:
        name, equals, text = parameter.partition("=")
        if not equals:
            raise click.UsageError(f"--param must be a name and {expected}, got {parameter!r}")
        if name in texts:
            raise click.UsageError(f"--param {name} is given twice: list its values in one")
        texts[name] = text
    return texts


def refuse(command: click.Command, given: Iterable[str], why: str) -> None:
    """Reject the first of the given options of a command, if there is one."""
    for parameter in command.params:
        if parameter.name in given:
            raise click.UsageError(f"{why}: leave out {parameter.opts[0]}")


def columns() -> int | None:
    """The width of the terminal; None if standard output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_wrapped(name: str, text: str) -> None:
    """Print a name and its text, wrapped to the width of the terminal."""
    line = f"{name:14} {text}"
    width = columns()
    if width is not None:
        line = textwrap.fill(line, width, subsequent_indent=" " * 15, break_long_words=False)
    click.echo(line)


def print_above_bars(line: str) -> None:
    """Print a line above the progress bars, and flush it."""
    from tqdm import tqdm

    tqdm.write(line)
    sys.stdout.flush()


@contextmanager
def same_command_continues() -> Iterator[None]:
    """After Ctrl-C or SIGTERM, show that the same command continues."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as error:
        raise Stopped(error, f"cep {shlex.join(sys.argv[1:])}") from None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    from tqdm import tqdm

    tqdm.write(f"{category.__name__}: {message}", file=sys.stderr)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Show expected errors as messages without a traceback, and warnings on one line."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except BrokenPipeError:
        raise OutputClosed from None
    except (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError) as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, Terminated) as error:
        raise Stopped(error) from None
