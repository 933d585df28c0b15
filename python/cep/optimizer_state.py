"""What an optimizer remembers of a network, as arrays by name: for copies and files.

Names are those of parameters with that of the state before them: ``velocity.weights.0``.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cep import named_parameters
from cep.network import Network
from cep.optimizers import SGD, Optimizer
from cep.rules import BPTT


class OptimizerState(NamedTuple):
    """The state of an optimizer."""

    name: str
    steps: int
    """Updates made."""
    arrays: Mapping[str, NDArray[Any]]


def of(net: Network) -> OptimizerState | None:
    """A copy of what the optimizer of a network remembers; None if there is nothing."""
    name, steps = net._engine.optimizer()
    if not steps:
        return None
    arrays = {key: view.copy() for key, view in _views(net, name).items()}
    return OptimizerState(name, steps, arrays)


def restore(net: Network, state: OptimizerState | None) -> None:
    """Give a network what an optimizer remembered.

    Raises
    ------
    ValueError
        For arrays that are not of the shapes of the network's parameters. Nothing changes then.
    """
    if state is None:
        return
    check(state, net)
    optimizer = _stateful(state.name) if state.arrays else SGD()
    net._engine.prepare_optimizer(BPTT(1, optimizer=optimizer)._for_engine(len(net.edges)))
    for key, view in _views(net, state.name).items():
        view[...] = state.arrays[key]
    net._engine.set_optimizer_steps(state.steps)


def check(state: OptimizerState, net: Network) -> None:
    """Raise the ValueError if a state is not one of this network."""
    if state.name not in _known():
        raise ValueError(f"there is no optimizer {state.name!r}")
    if not 0 <= state.steps < 2**63:
        raise ValueError(f"an optimizer has made 0 updates or more, got {state.steps}")
    shapes = {name: array.shape for name, array in named_parameters.of(net).items()}
    expected = {
        f"{name}.{parameter}": shape
        for name in _stateful(state.name).state_names
        for parameter, shape in shapes.items()
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
    for key, array in state.arrays.items():
        if array.dtype != net.dtype:
            raise ValueError(f"{key} is {array.dtype}, the network {net.dtype}")


def _views(net: Network, optimizer: str) -> dict[str, NDArray[Any]]:
    """In place."""
    views = {}
    for name in _stateful(optimizer).state_names:
        for parameter in named_parameters.of(net):
            kind, index = parameter.split(".")
            try:
                array = net._engine.optimizer_array(name, kind, int(index))
            except ValueError:
                return {}  # SGD without momentum.
            views[f"{name}.{parameter}"] = np.asarray(array)
    return views


def _known() -> dict[str, type[Optimizer]]:
    return {each.name: each for each in Optimizer.__subclasses__()}


def _stateful(name: str) -> Optimizer:
    return _known()[name].with_state()
