"""Options of a configuration: how each is checked, read from words, and described.

A field of `Configuration` is declared once, with `option` or `like`. The checks, the command line,
the fields that sweeps take, and the documentation come from there.
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
    """Values that an option takes: how one is checked and kept, and read from a word."""

    words: str  # What a value is, as "a number".
    metavar: str  # What stands for a value in the help of the command line.
    check: Callable[[str, Any], Any]
    read: Callable[[str], Any] = str
    part: "Kind | None" = None  # Of a sequence: of each value.
    alone: bool = False  # Of a sequence: whether one value may also stand alone.

    def read_text(self, text: str, separator: str) -> Any:
        """The value that a text stands for, in which a separator joins the parts of a sequence."""
        if self.part is None:
            return self.read(text)
        values = [] if text == "none" else [self.part.read(word) for word in text.split(separator)]
        return values[0] if self.alone and len(values) == 1 else values

    def described(self, separator: str) -> str:
        """What such a text must be."""
        several = f"{self.words} joined by {'commas' if separator == ',' else separator}"
        alone = f"{self.part.words} or " if self.part is not None and self.alone else ""
        return self.words if self.part is None else alone + several


FLAG = Kind("true or false", "", validation.flag, {"true": True, "false": False}.__getitem__)


def whole(lowest: int = 1) -> Kind:
    """Integers that are not too small."""
    return Kind("an integer", "INTEGER", lambda n, v: validation.count(n, v, lowest), int)


def real(limits: str = "", allows: Callable[[float], bool] = lambda number: True) -> Kind:
    """Finite numbers, those of which are taken that a function allows; `limits` says which."""

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
    """Sequences of values of a kind; `then` checks a sequence as a whole."""

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
    owner: type | None  # The class whose argument it is, if any.
    target: str  # The name of that argument.
    needs: Mapping[str, Any]  # See `option`.
    command: str | None  # The name on the command line, if it is there.

    def check(self, value: Any) -> Any:
        """The value as it is kept."""
        return None if value is None and self.default is None else self.kind.check(self.name, value)

    def read(self, text: str, separator: str = ",", also: str = "") -> Any:
        """The value that a text stands for, or a ValueError; `also` says what else it may be."""
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
        What it is. The command line shows the first sentence.
    kind : Kind, optional
        Default: by the annotation, flags, integers from 1 on, real numbers, or a choice of words.
    owner : type, optional
        The class whose argument it is.
    target : str, optional
        The name of that argument. Default: that of the field.
    needs : mapping, optional
        Other options and the values, one or a tuple, with one of which this one has an effect.
        None stands for any but none and 0.
    command : str, optional
        The name on the command line. Default: that of the field. None: it is not there.
    """
    metadata = {"help": help, "kind": kind, "owner": None, "needs": {}, **declared}
    return dataclasses.field(default=default, metadata=metadata)


def like(owner: type, default: Any, kind: Kind | None = None, **declared: Any) -> Any:
    """A field of `Configuration` that is an argument of a class, whose docstring describes it."""
    return option(default, "", kind, owner=owner, **declared)


def declared_by(configuration: type) -> dict[str, Option]:
    """The options that a class declares, by name."""
    found = {}
    for field in dataclasses.fields(configuration):
        name, given = field.name, {"target": field.name, **field.metadata}
        given.setdefault("command", f"--{name.replace('_', '-')}")
        given["kind"] = given["kind"] or _kind(field.type)
        given["help"] = given["help"] or _described(given["owner"]).get(given["target"], "")
        found[name] = Option(name, field.default, **given)
    return found


def _kind(annotation: Any) -> Kind:
    """What values of a type are, if a declaration does not say more."""
    if get_origin(annotation) is Literal:
        return choice(get_args(annotation))
    kinds = set(get_args(annotation) or [annotation]) - {NoneType}
    return {bool: FLAG, int: whole(), float: real()}[kinds.pop()]


def _described(owner: type) -> dict[str, str]:
    """What a docstring in NumPy's style says of each parameter."""
    entry = r"^(\w[\w, ]*?)(?: : .*)?\n((?:    .*\n|\n)+)"
    entries = re.findall(entry, f"{inspect.getdoc(owner)}\n", re.M)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def documentation(options: Iterable[Option]) -> str:
    """The section of parameters of a docstring."""
    lines = ["Parameters", "----------"]
    for each in options:
        source = "" if each.owner is None else f" See `{each.owner.__name__}`."
        command = "" if each.command is None else f" On the command line ``{each.command}``."
        # As NumPy's style has choices: {a, b}.
        kind = each.kind.metavar.lower() or "bool"
        kind = (
            f"{{{kind[1:-1].replace('|', ', ')}}}" if kind[0] == "[" else kind.replace("|", " or ")
        )
        lines.append(f"{each.name} : {kind}, default {each.default!r}")
        lines.append(f"    {each.help if not source else each.summary}{source}{command}")
    return "\n".join(lines) + "\n"
