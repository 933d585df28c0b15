"""The options of a configuration on the command line."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cep.cli import options
from cep.experiments import presets
from cep.experiments.configuration import OPTIONS, Configuration
from cep.experiments.data import RunData, check_root
from cep.experiments.options import FLAG, Option
from cep.experiments.overrides import spelled

Command = Callable[..., None]

preset = click.option(
    "--preset",
    metavar="NAME",
    help="Start from a published experiment, such as EP-1h or C-VF-2h.",
)


class Value(click.ParamType[Any]):
    """A value of an option of a configuration; commas join the parts of a sequence."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.name = option.kind.metavar

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Convert the text to a value."""
        try:
            return self.option.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def configuration_options(
    names: Collection[str] = OPTIONS, **defaults: str
) -> Callable[[Command], Command]:
    """Add options of a configuration to a command. Help texts show the given defaults."""
    shown = dict.fromkeys(presets.varying(), "see above") | defaults

    def decorate(command: Command) -> Command:
        for each in reversed([OPTIONS[name] for name in names]):
            if each.command is not None:
                command = _click_option(each, shown.get(each.name))(command)
        return options.data_root(command)

    return decorate


def _click_option(each: Option, shown: str | None) -> Callable[[Command], Command]:
    if shown is None and not isinstance(each.default, tuple | None):
        shown = spelled(each.default)
    help = each.summary.replace("`", "") + (f"  [default: {shown}]" if shown else "")
    if each.kind is FLAG:
        names = f"{each.command}/--no-{str(each.command)[2:]}"
        return click.option(names, each.name, default=None, help=help)
    return click.option(
        str(each.command), each.name, type=Value(each), metavar=each.kind.metavar, help=help
    )


def given(context: click.Context, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the user gave."""
    return {
        name: value
        for name, value in fields.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }


def with_data(
    given: dict[str, Any],
    data_root: Path | None,
    make: Callable[[dict[str, Any]], Configuration],
) -> tuple[Configuration, RunData | None]:
    """The configuration, and the data file if --data names one."""
    path = Path(given["data"]).expanduser() if "data" in given else Path()
    is_file = path.suffix == ".npz"
    found = make(given | ({"data": path.stem} if is_file else {}))
    if is_file and not path.is_file():
        raise FileNotFoundError(f"--data: file {path} does not exist")
    data = path if is_file else None
    check_root(found, data, data_root)
    return found, data


def configuration(preset: str | None, given: dict[str, Any]) -> Configuration:
    """The preset, or the defaults for data, rule and depth, with the given options."""
    if preset is not None:
        return presets.get(preset).configuration.replace(**given)
    default = Configuration()
    data, rule = given.get("data", default.data), given.get("rule", default.rule)
    depth = len(given.get("hidden", default.hidden))
    return presets.defaults(data, rule, depth).replace(**given)


def refuse_without_effect(names: Iterable[str], configurations: Iterable[Configuration]) -> None:
    """Reject an option that has no effect in any of the configurations."""
    every = list(configurations)
    for name in names:
        reasons = [each.without_effect(name) for each in every]
        if reasons and all(reasons):
            raise click.UsageError(
                f"{OPTIONS[name].command} has no effect, as {reasons[0]}: leave it out"
            )
