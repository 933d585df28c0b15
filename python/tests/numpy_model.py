"""The networks and rules of shared/reference/README.md in NumPy: a slow reference implementation.

It shares only the equations with the engine. All arithmetic is in float64.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from snapshot import feedback_weights

import cep

Matrix = NDArray[np.float64]
Elementwise = Callable[[Matrix], Matrix]


def shifted_sigmoid(x: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-4 * (x - 0.5)))


def hard_sigmoid(x: Matrix) -> Matrix:
    return np.clip(x, 0, 1)


ACTIVATIONS: dict[str, tuple[Elementwise, Elementwise]] = {
    "shifted_sigmoid": (
        shifted_sigmoid,
        lambda x: 4 * shifted_sigmoid(x) * (1 - shifted_sigmoid(x)),
    ),
    "hard_sigmoid": (hard_sigmoid, lambda x: ((x >= 0) & (x <= 1)).astype(np.float64)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
}


def one_hot(labels: ArrayLike, units: int) -> Matrix:
    return np.eye(units)[np.asarray(labels)]


@dataclass
class NumpyModel:
    """Layers 0 (input) … L (output). ``weights[k]`` joins layer k to layer k + 1."""

    weights: list[Matrix]
    biases: list[Matrix]
    feedback: list[Matrix] | None  # For connections 1 … L−1; None: tied.
    setting: str
    activation: str
    dt: float = 0.2
    clamp: bool = True
    follows_energy: bool = False
    relaxation: str = "synchronous"

    @classmethod
    def of(
        cls, net: cep.Network, dt: float = 0.2, clamp: bool = True, follows_energy: bool = False
    ) -> NumpyModel:
        """A model with copies of a network's present parameters."""
        return cls(
            weights=[np.array(w, dtype=np.float64) for w in net.weights],
            biases=[np.array(b, dtype=np.float64) for b in net.biases],
            feedback=[np.array(v, dtype=np.float64) for v in feedback_weights(net)]
            if net.feedback == "untied"
            else None,
            setting=net.setting,
            activation=net.activation,
            dt=dt,
            clamp=clamp,
            follows_energy=follows_energy,
            relaxation=net.relaxation,
        )

    def copy(self) -> NumpyModel:
        """A model with its own parameters."""
        return copy.deepcopy(self)

    def parameters(self) -> list[Matrix]:
        """All parameters in place, in the order of `Network.parameters`."""
        return [*self.weights, *self.biases, *(self.feedback or [])]

    @property
    def layers(self) -> int:
        """L."""
        return len(self.weights)

    def rho(self, state: Matrix) -> Matrix:
        return ACTIVATIONS[self.activation][0](state)

    def backward(self, layer: int) -> Matrix:
        """V of layer + 1, which carries its state back to ``layer``."""
        if self.feedback is None:
            return self.weights[layer].T
        return self.feedback[layer - 1]

    def zero_states(self, x: ArrayLike) -> list[Matrix]:
        inputs = np.asarray(x, dtype=np.float64)
        return [inputs, *(np.zeros((len(inputs), len(bias))) for bias in self.biases)]

    def moved(
        self, states: Sequence[Matrix], layer: int, y: Matrix | None = None, beta: float = 0
    ) -> Matrix:
        """A layer after one step, from the present states."""
        prototypical = self.setting == "prototypical"
        activity = list(states) if prototypical else [self.rho(state) for state in states]
        preactivation = activity[layer - 1] @ self.weights[layer - 1].T + self.biases[layer - 1]
        hidden = layer < self.layers
        if hidden:
            preactivation = preactivation + activity[layer + 1] @ self.backward(layer).T
        old = states[layer]
        pull = 0 if hidden or y is None else beta * (y - old)
        if prototypical:
            return self.rho(preactivation) + pull
        if (hidden or self.follows_energy) and self.feedback is None:
            preactivation = ACTIVATIONS[self.activation][1](old) * preactivation
        new = old + self.dt * (-old + preactivation + pull)
        return np.clip(new, 0, 1) if self.clamp else new

    def step(
        self, states: Sequence[Matrix], y: Matrix | None = None, beta: float = 0
    ) -> list[Matrix]:
        """All layers at once from the old states."""
        return [states[0], *(self.moved(states, k + 1, y, beta) for k in range(self.layers))]

    def alternating_step(self, states: Sequence[Matrix]) -> list[Matrix]:
        """Layers 1, 3, … first, then layers 2, 4, … from the new states."""
        new = list(states)
        for first in (1, 2):
            for layer in range(first, self.layers + 1, 2):
                new[layer] = self.moved(new, layer)
        return new

    def relax(
        self, states: Sequence[Matrix], steps: int, y: Matrix | None = None, beta: float = 0
    ) -> list[Matrix]:
        """A phase; nudged phases are always synchronous."""
        for _ in range(steps):
            if y is None and self.relaxation == "alternating":
                states = self.alternating_step(states)
            else:
                states = self.step(states, y, beta)
        return list(states)

    def free_phase(self, x: ArrayLike, steps: int) -> list[Matrix]:
        return self.relax(self.zero_states(x), steps)

    def update(
        self,
        old: Sequence[Matrix],
        new: Sequence[Matrix],
        beta: float,
        rates: Sequence[float],
        bias_rates: Sequence[float] | None = None,
    ) -> None:
        """The tied or untied update between an older and a newer state, added to the parameters."""
        batch = len(old[0])
        real_time = self.setting == "real-time"
        old_sent = [self.rho(state) for state in old] if real_time else old
        new_sent = [self.rho(state) for state in new] if real_time else new
        for k, rate in enumerate(rates):
            factor = rate / (beta * batch)
            if self.feedback is None:
                moved = new_sent[k + 1] - old_sent[k + 1]
                self.weights[k] += factor * (
                    new_sent[k + 1].T @ new_sent[k] - old_sent[k + 1].T @ old_sent[k]
                )
            else:
                moved = new[k + 1] - old[k + 1]
                self.weights[k] += factor * moved.T @ old_sent[k]
                if k > 0:
                    self.feedback[k - 1] += factor * (new[k] - old[k]).T @ old_sent[k + 1]
            bias_rate = rate if bias_rates is None else bias_rates[k]
            self.biases[k] += bias_rate / (beta * batch) * moved.sum(axis=0)

    def train_batch(self, x: ArrayLike, y: ArrayLike, rule: Any) -> tuple[float, int, list[Matrix]]:
        """Both phases and the update or updates.

        Returns loss and wrong predictions of the free phase, and the nudged states.
        """
        wanted = np.asarray(y)
        wanted = one_hot(wanted, len(self.biases[-1])) if wanted.ndim == 1 else wanted
        free = self.free_phase(x, rule.free_steps)
        loss, errors = loss_and_errors(free[-1], wanted)
        # For symmetric EP, each phase's update uses half of the learning rates.
        betas = [rule.beta, -rule.beta] if rule.beta_sign == "symmetric" else [rule.beta]
        rates = np.broadcast_to(rule.learning_rates, self.layers) / len(betas)
        own = rule.bias_learning_rates
        bias_rates = rates if own is None else np.broadcast_to(own, self.layers) / len(betas)
        continual = isinstance(rule, cep.CEP)
        still = self if continual else self.copy()
        for beta in betas:
            states = free
            for _ in range(rule.nudged_steps):
                moved = still.step(states, wanted, beta)
                if continual or rule.accumulate:
                    self.update(states, moved, beta, rates, bias_rates)
                states = moved
            if not (continual or rule.accumulate):
                self.update(free, states, beta, rates, bias_rates)
        return loss, errors, states


def loss_and_errors(output: Matrix, wanted: Matrix) -> tuple[float, int]:
    """(1/2B) Σ |s_L − y|², and the number of wrong predictions."""
    loss = ((output - wanted) ** 2).sum() / (2 * len(output))
    return float(loss), int((output.argmax(axis=1) != wanted.argmax(axis=1)).sum())
