"""Options of a configuration: how each is checked, read from words, and described.

A field of `Configuration` is declared once, with `option` or `like`. The checks, the command line,
the fields of sweeps and the documentation are derived from the declaration.
"""

import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from cep._util import validation


@dataclass(frozen=True)
class Kind:
    """A kind of value: how a value is checked, stored and read from a word."""

    words: str  # A description of a value, such as "a number".
    metavar: str  # The placeholder of a value in the help of the command line.
    check: Callable[[str, Any], Any]
    read: Callable[[str], Any] = str
    part: "Kind | None" = None  # For a sequence: the kind of each value.
    alone: bool = False  # For a sequence: whether a single value is allowed in its place.

    def read_text(self, text: str, separator: str) -> Any:
        """Convert a text to a value. The parts of a sequence are joined by the separator."""
        if self.part is None:
            return self.read(text)
        values = [] if text == "none" else [self.part.read(word) for word in text.split(separator)]
        return values[0] if self.alone and len(values) == 1 else values

    def described(self, separator: str) -> str:
        """A description of the texts that `read_text` accepts."""
        several = f"{self.words} joined by {'commas' if separator == ',' else separator}"
        alone = f"{self.part.words} or " if self.part is not None and self.alone else ""
        return self.words if self.part is None else alone + several


FLAG = Kind("true or false", "", validation.flag, {"true": True, "false": False}.__getitem__)


def whole(lowest: int = 1) -> Kind:
    """Integers that are at least `lowest`."""
    return Kind("an integer", "INTEGER", lambda n, v: validation.count(n, v, lowest), int)


def real(limits: str = "", allows: Callable[[float], bool] = lambda number: True) -> Kind:
    """Finite numbers for which `allows` is true; `limits` describes them in messages."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, bool):
            raise TypeError(f"{name} must be a real number, got bool {value!r}")
        number = validation.real(name, value)
        if not math.isfinite(number):
            raise ValueError(f"{name} must be finite, got {number}")
        if not allows(number):
            raise ValueError(f"{name} must be {limits}, got {number}")
        return number

    return Kind("a number", "NUMBER", check, float)


def choice(choices: Iterable[str]) -> Kind:
    """One of a few words."""
    known = tuple(choices)
    return Kind("a word", f"[{'|'.join(known)}]", lambda n, v: validation.choice(n, v, known))


def many(
    part: Kind,
    words: str,
    *,
    alone: bool = False,
    then: Callable[[str, tuple[Any, ...]], Any] = lambda name, values: values,
) -> Kind:
    """Sequences of values of one kind; `then` checks the whole sequence."""

    def check(name: str, value: Any) -> Any:
        if alone and (isinstance(value, str) or not isinstance(value, Iterable)):
            return part.check(name, value)
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise TypeError(f"{name} must be a sequence of {words}, got {value!r}")
        return then(name, tuple(part.check(f"{name}[{k}]", each) for k, each in enumerate(value)))

    return Kind(words, f"{part.metavar}[,…]", check, part=part, alone=alone)


@dataclass(frozen=True)
class Option:
    """An option of a configuration."""

    name: str
    default: Any
    kind: Kind
    help: str
    owner: type | None  # The class that takes the option as an argument, if any.
    target: str  # The name of this argument.
    needs: Mapping[str, Any]  # See `option`.
    command: str | None  # The name on the command line, if it has one.

    def check(self, value: Any) -> Any:
        """The value as it is stored, after checks."""
        return None if value is None and self.default is None else self.kind.check(self.name, value)

    def read(self, text: str, separator: str = ",", also: str = "") -> Any:
        """Convert a text to a value.

        `also` describes other texts that the caller accepts, for the message of the ValueError.
        """
        if text == "none" and self.default is None:
            return None
        try:
            return self.kind.read_text(text, separator)
        except (ValueError, KeyError):
            none = "none or " if self.default is None else ""
            wanted = f"{none}{self.kind.described(separator)}{also}"
            raise ValueError(f"{self.name} must be {wanted}, got {text!r}") from None

    @property
    def summary(self) -> str:
        """The first sentence of the help."""
        return re.split(r"(?<=\.)\s+(?=[^a-z])", self.help, maxsplit=1)[0]


def option(default: Any, help: str = "", kind: Kind | None = None, **declared: Any) -> Any:
    """A field of `Configuration`.

    Parameters
    ----------
    default
        The default value.
    help : str
        The description. The command line shows the first sentence.
    kind : Kind, optional
        The kind of value. By default it follows from the annotation: a flag, an integer of 1 or
        more, a real number, or a choice of words.
    owner : type, optional
        The class that takes the option as an argument.
    target : str, optional
        The name of this argument. By default the name of the field.
    needs : mapping, optional
        Conditions under which the option has an effect: names of other options, each with one
        value or a tuple of values. None means any value except None and 0.
    command : str, optional
        The name on the command line. By default the name of the field. None: the command line
        does not have the option.
    """
    metadata = {"help": help, "kind": kind, "owner": None, "needs": {}, **declared}
    return dataclasses.field(default=default, metadata=metadata)


def like(owner: type, default: Any, kind: Kind | None = None, **declared: Any) -> Any:
    """A field of `Configuration` that is an argument of a class, with the description there."""
    return option(default, "", kind, owner=owner, **declared)


def declared_by(configuration: type) -> dict[str, Option]:
    """The options declared by a class, by name."""
    found = {}
    for field in dataclasses.fields(configuration):
        name, given = field.name, {"target": field.name, **field.metadata}
        given.setdefault("command", f"--{name.replace('_', '-')}")
        given["kind"] = given["kind"] or _kind(field.type)
        given["help"] = given["help"] or _described(given["owner"]).get(given["target"], "")
        found[name] = Option(name, field.default, **given)
    return found


def _kind(annotation: Any) -> Kind:
    """The default kind of a field with this annotation."""
    if get_origin(annotation) is Literal:
        return choice(get_args(annotation))
    kinds = set(get_args(annotation) or [annotation]) - {NoneType}
    return {bool: FLAG, int: whole(), float: real()}[kinds.pop()]


def _described(owner: type) -> dict[str, str]:
    """The descriptions of the parameters in a NumPy-style docstring."""
    entry = r"^(\w[\w, ]*?)(?: : .*)?\n((?:    .*\n|\n)+)"
    entries = re.findall(entry, f"{inspect.getdoc(owner)}\n", re.M)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def documentation(options: Iterable[Option]) -> str:
    """The Parameters section of a docstring."""
    lines = ["Parameters", "----------"]
    for each in options:
        source = "" if each.owner is None else f" See `{each.owner.__name__}`."
        command = "" if each.command is None else f" On the command line ``{each.command}``."
        # NumPy style writes choices as {a, b}.
        kind = each.kind.metavar.lower() or "bool"
        kind = (
            f"{{{kind[1:-1].replace('|', ', ')}}}" if kind[0] == "[" else kind.replace("|", " or ")
        )
        lines.append(f"{each.name} : {kind}, default {each.default!r}")
        lines.append(f"    {each.help if not source else each.summary}{source}{command}")
    return "\n".join(lines) + "\n"
