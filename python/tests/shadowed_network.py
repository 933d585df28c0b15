"""A network and a slow model on which the same calls are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from numpy_model import Matrix, NumpyModel
from snapshot import feedback_weights

import cep

Place = tuple[str, int]

# The tolerance of a single call relative to the model, which computes in float64.
TOLERANCES = {"float32": 2e-4, "float64": 1e-9}


class Shadowed:
    """A network, its model, the model's states, and arrays taken from the network before.

    The model moves first; `follow` expects the network to have moved in the same way and copies its
    bits, so that rounding errors are those of one call, and anything that a call must not change
    can be compared bit for bit.
    """

    def __init__(
        self, net: cep.Network, model: NumpyModel, states: list[Matrix] | None = None
    ) -> None:
        self.net = net
        self.model = model
        self.states = states
        self.views: dict[Place, list[NDArray[Any]]] = {}

    @classmethod
    def of(cls, net: cep.Network) -> Shadowed:
        """A network with a model of the same options and parameters."""
        options = net.options
        model = NumpyModel.of(net, options["dt"], options["clamp"], options["follows_energy"])
        return cls(net, model)

    def twin(self, net: cep.Network, *, with_states: bool) -> Shadowed:
        """Another network that should equal this one."""
        states = [state.copy() for state in self.states] if with_states and self.states else None
        return Shadowed(net, self.model.copy(), states)

    @property
    def tolerance(self) -> float:
        return TOLERANCES[self.net.dtype.name]

    @property
    def batch(self) -> int:
        return 0 if self.states is None else len(self.states[0])

    def model_arrays(self) -> dict[Place, Matrix]:
        """The model's array for an array of the network."""
        kinds = {
            "weights": self.model.weights,
            "biases": self.model.biases,
            "feedback_weights": self.model.feedback or [],
            "states": self.states or [],
        }
        first = {"feedback_weights": 1}
        return {
            (kind, k): array
            for kind, arrays in kinds.items()
            for k, array in enumerate(arrays, first.get(kind, 0))
        }

    def array(self, place: Place) -> NDArray[Any]:
        """The network's arrays, taken now."""
        kind, k = place
        return getattr(self.net, kind)[k]

    def take(self, place: Place) -> NDArray[Any]:
        """The same arrays, kept to be compared after every call."""
        view = self.array(place)
        self.views.setdefault(place, []).append(view)
        return view

    def phase_ended(self, states: list[Matrix]) -> list[NDArray[Any]]:
        """Set the states of the model.

        States of another batch size get new memory: the old arrays are returned, and no longer
        belong to this network.
        """
        old: list[NDArray[Any]] = []
        if self.batch != len(states[0]):
            for place in [place for place in self.views if place[0] == "states"]:
                old += self.views.pop(place)
        self.states = states
        return old

    def views_that_have_gone(self) -> list[NDArray[Any]]:
        """Drop the arrays of states, after batches of unknown sizes."""
        gone: list[NDArray[Any]] = []
        for place in [place for place in self.views if place[0] == "states"]:
            views, now = self.views.pop(place), self.array(place)
            self.views[place] = [view for view in views if np.shares_memory(view, now)]
            gone += [view for view in views if not np.shares_memory(view, now)]
        return gone

    def agrees(self, model: NumpyModel, states: list[Matrix]) -> bool:
        """Whether the network equals another model."""
        mine = [*self.net.weights, *self.net.biases, *feedback_weights(self.net), *self.net.states]
        theirs = [*model.weights, *model.biases, *(model.feedback or []), *states]
        return all(
            np.allclose(one, other, rtol=self.tolerance, atol=self.tolerance)
            for one, other in zip(mine, theirs, strict=True)
        )

    def follow(self) -> None:
        """Expect the network to equal the model, and copy its bits."""
        for place, expected in self.model_arrays().items():
            found = self.array(place)
            np.testing.assert_allclose(
                found, expected, rtol=self.tolerance, atol=self.tolerance, err_msg=str(place)
            )
            expected[...] = found

    def check(self) -> None:
        """Expect that no bit has changed since the last check, in any array."""
        for place, expected in self.model_arrays().items():
            now = self.array(place)
            assert np.array_equal(now, expected), place
            for view in self.views.get(place, []):
                assert np.shares_memory(view, now)
                assert np.array_equal(view, now), place
        if self.states is None:
            try:
                states = list(self.net.states)
            except RuntimeError:
                return
            raise AssertionError(f"there are states before any phase: {states}")
