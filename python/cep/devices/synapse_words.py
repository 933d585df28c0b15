"""Synapses as words: "ecram", or "linear_step:dw_min=0.002"."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from cep.devices import presets
from cep.devices.synapses import MODELS, Synapse


def from_word(word: str) -> Synapse:
    """The synapse described by a word: the name of a preset, or a `Synapse.word`.

    Raises
    ------
    ValueError
        If the word does not describe a synapse.
    """
    name, *arguments = word.split(":")
    made_by = presets.ALL.get(name, MODELS.get(name))
    if made_by is None:
        known = ", ".join([*MODELS, *presets.ALL])
        raise ValueError(f"unknown synapse {name!r}; expected one of {known}")
    given: dict[str, Any] = {}
    for argument in arguments:
        key, sign, text = argument.partition("=")
        if not sign or key in given:
            raise ValueError(
                "the parameters of a synapse must be such as dw_min=0.001, each once, got "
                f"{argument!r} in {word!r}"
            )
        given[key] = text
    model = type(made_by()) if name in presets.ALL else MODELS[name]
    fields = {each.name: each for each in dataclasses.fields(model)}
    for key, text in given.items():
        if key not in fields:
            raise ValueError(f"{name} has no parameter {key!r}; it has {', '.join(fields)}")
        given[key] = _parsed(fields[key], text, word)
    try:
        made: Synapse = made_by(**given)
        return made
    except TypeError as error:
        raise ValueError(f"{word!r} does not describe a synapse: {error}") from None


def _parsed(each: "dataclasses.Field[Any]", text: str, word: str) -> Any:
    try:
        if each.type is bool:
            return {"0": False, "1": True, "false": False, "true": True}[text.lower()]
        if each.type is int:
            return int(text)
        return float(text) if each.type is float else text
    except (KeyError, ValueError):
        raise ValueError(f"{each.name} cannot be {text!r}, in {word!r}") from None


def checked(name: str, value: object) -> tuple[Synapse, ...]:
    """The synapses given by one model or word, by a sequence of them, or by None for ideal ones.

    Raises
    ------
    TypeError, ValueError
        If a value does not describe synapses.
    """
    if value is None:
        return ()
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict, set))
    items: Sequence[object] = list(value) if several else [value]  # type: ignore[call-overload]
    made = []
    for each in items:
        synapse = from_word(each) if isinstance(each, str) else each
        if not isinstance(synapse, Synapse):
            raise TypeError(
                f"{name} must be synapses such as cep.hardware.LinearStep(...), or words, got "
                f"{each!r}"
            )
        made.append(synapse)
    if several and not made:
        raise ValueError(f"{name} is empty; expected one synapse, or one for each connection")
    return tuple(made)


def words(synapses: Sequence[Synapse]) -> str | tuple[str, ...] | None:
    """The words of synapses in options; None if no synapses are given."""
    if not synapses:
        return None
    return synapses[0].word if len(synapses) == 1 else tuple(each.word for each in synapses)
