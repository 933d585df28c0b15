"""The state of an optimizer as named arrays, for copies and files.

Names are those of parameters with the name of the state before them: ``velocity.weights.0``.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cep import _cep

Arrays = Mapping[str, NDArray[Any]]


class OptimizerState(NamedTuple):
    """The state of an optimizer."""

    name: str
    steps: int
    """The number of updates."""
    arrays: Arrays


class Stateful(Protocol):
    """The interface of an optimizer's state."""

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the values kept for each parameter."""
        ...

    def _options(self) -> dict[str, Any]:
        """The options for the engine."""
        ...


# Creates an optimizer by name, for those with a state; the classes register themselves.
KNOWN: dict[str, Callable[[], Stateful]] = {}


def of(engine: _cep.Network, parameters: Arrays) -> OptimizerState | None:
    """A copy of the state of a network's optimizer; None without one."""
    name, steps = engine.optimizer()
    if not steps:
        return None
    arrays = {key: view.copy() for key, view in _views(engine, parameters, name).items()}
    return OptimizerState(name, steps, arrays)


def restore(engine: _cep.Network, parameters: Arrays, state: OptimizerState | None) -> None:
    """Restore the state of a network's optimizer.

    Raises
    ------
    ValueError
        For arrays without the shapes of the network's parameters. Nothing changes then.
    """
    if state is None:
        return
    _check(state, parameters)
    options = KNOWN[state.name]()._options() if state.arrays else {"optimizer": state.name}
    engine.prepare_optimizer({"rule": "bptt", "free_steps": 1, **options})
    for key, view in _views(engine, parameters, state.name).items():
        view[...] = state.arrays[key]
    engine.set_optimizer_steps(state.steps)


def _check(state: OptimizerState, parameters: Arrays) -> None:
    """Raise a ValueError if a state does not fit these parameters."""
    if state.name not in KNOWN:
        raise ValueError(f"unknown optimizer {state.name!r}")
    if not 0 <= state.steps < 2**63:
        raise ValueError(
            f"the number of an optimizer's updates must be 0 or more, got {state.steps}"
        )
    expected = {
        f"{name}.{parameter}": array.shape
        for name in KNOWN[state.name]().state_names
        for parameter, array in parameters.items()
    }
    found = {key: array.shape for key, array in state.arrays.items()}
    if found != expected and not (state.name == "sgd" and not found):
        wrong = next(
            (key for key in [*expected, *found] if found.get(key) != expected.get(key)), ""
        )
        raise ValueError(
            f"the optimizer's state {wrong} must be of shape {expected.get(wrong)}, "
            f"found {found.get(wrong)}"
        )
    dtype = next(iter(parameters.values())).dtype
    for key, array in state.arrays.items():
        if array.dtype != dtype:
            raise ValueError(f"{key} is {array.dtype}, the network {dtype}")


def _views(engine: _cep.Network, parameters: Arrays, optimizer: str) -> dict[str, NDArray[Any]]:
    """The arrays of the state, in place."""
    views = {}
    for name in KNOWN[optimizer]().state_names:
        for parameter in parameters:
            kind, index = parameter.split(".")
            try:
                array = engine.optimizer_array(name, kind, int(index))
            except ValueError:
                return {}  # SGD without momentum.
            views[f"{name}.{parameter}"] = np.asarray(array)
    return views
