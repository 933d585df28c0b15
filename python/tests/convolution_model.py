"""Convolutional networks in NumPy, from the equations, as a reference for the engine."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import cep

Array = NDArray[np.float64]

SIGMAS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "hard_sigmoid": lambda x: np.clip(x, 0, 1),
}


class Convolution:
    """up(s) = pool(W ∗ s + b) of images, and the adjoint of it at some s."""

    def __init__(self, layer: cep.Conv2d, weights: Array, biases: Array | None) -> None:
        self.layer = layer
        self.weights = weights
        self.biases = np.zeros(len(weights)) if biases is None else biases

    def _windows(self, images: Array) -> Array:
        """Views of the padded images under the kernel: b × c × y × x × height × width."""
        (top, left), (down, right) = self.layer.padding, self.layer.stride
        padded = np.pad(images, ((0, 0), (0, 0), (top, top), (left, left)))
        windows = sliding_window_view(padded, self.layer.kernel, axis=(2, 3))
        return windows[:, :, ::down, ::right]

    def _convolved(self, images: Array) -> Array:
        maps = np.einsum("bcyxij,ocij->boyx", self._windows(images), self.weights)
        return maps + self.biases[:, None, None]

    @staticmethod
    def _cells(maps: Array) -> Array:
        """The four pixels of each pooling window, last."""
        height, width = maps.shape[2] // 2 * 2, maps.shape[3] // 2 * 2
        pixels = [maps[:, :, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]
        return np.stack(pixels, axis=-1)

    def _shares(self, images: Array) -> Array:
        """The weight of each of the four pixels in pooling."""
        cells = self._cells(self._convolved(images))
        if self.layer.pool == "average":
            return np.full_like(cells, 0.25)
        return (np.arange(4) == cells.argmax(axis=-1)[..., None]).astype(float)

    def up(self, images: Array) -> Array:
        """The preactivation of the layer above."""
        maps = self._convolved(images)
        if self.layer.pool is None:
            return maps
        return (self._cells(maps) * self._shares(images)).sum(axis=-1)

    def down(self, above: Array, at: Array) -> Array:
        """The derivative of ⟨up(s), above⟩ with respect to s."""
        maps = np.zeros_like(self._convolved(at))
        if self.layer.pool is None:
            maps[...] = above
        else:
            shares = self._shares(at) * above[..., None]
            height, width = maps.shape[2] // 2 * 2, maps.shape[3] // 2 * 2
            for k, (i, j) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
                maps[:, :, i:height:2, j:width:2] = shares[..., k]
        (top, left), (down, right) = self.layer.padding, self.layer.stride
        size = (at.shape[2] + 2 * top, at.shape[3] + 2 * left)
        images = np.zeros((*at.shape[:2], *size))
        for i in range(self.layer.kernel[0]):
            for j in range(self.layer.kernel[1]):
                rows = slice(i, i + down * maps.shape[2], down)
                columns = slice(j, j + right * maps.shape[3], right)
                images[:, :, rows, columns] += np.einsum(
                    "boyx,oc->bcyx", maps, self.weights[:, :, i, j]
                )
        return images[:, :, top : size[0] - top, left : size[1] - left]


class Dense:
    """up(s) = W s + b, and its adjoint."""

    def __init__(self, weights: Array, biases: Array | None) -> None:
        self.weights = weights
        self.biases = 0 if biases is None else biases

    def up(self, below: Array) -> Array:
        """The preactivation of the layer above."""
        return below.reshape(len(below), -1) @ self.weights.T + self.biases

    def down(self, above: Array, at: Array) -> Array:
        """The derivative of ⟨up(s), above⟩ with respect to s."""
        return (above.reshape(len(above), -1) @ self.weights).reshape(at.shape)


class Model:
    """The free dynamics of a network, step by step."""

    def __init__(self, net: cep.Network) -> None:
        self.net = net
        self.sigma: Any = SIGMAS[str(net.activation)]
        self.forward, self.back = [], []
        for k, (_, above) in enumerate(net.edges):
            layer: Any = net.layers[above]
            biases = np.array(net.biases[k]) if k < len(net.biases) else None
            v = net.feedback_weights[k]
            if biases is None:
                word = net.options["connections"][k - len(net.biases)][2:]
                layer = cep.network.layers.from_word(word[0]) if word else None
            if isinstance(layer, cep.Conv2d):
                forward: Any = Convolution(layer, np.array(net.weights[k]), biases)
                back: Any = forward if v is None else Convolution(layer, np.array(v), None)
            else:
                forward = Dense(np.array(net.weights[k]), biases)
                back = forward if v is None else Dense(np.array(v).T, None)
            self.forward.append(forward)
            self.back.append(back)

    def preactivation(self, layer: int, activities: list[Array]) -> Array:
        """The preactivation of a layer."""
        total = np.zeros_like(activities[layer])
        for k, (below, above) in enumerate(self.net.edges):
            if above == layer:
                total = total + self.forward[k].up(activities[below]).reshape(total.shape)
            if below == layer:
                total = total + self.back[k].down(activities[above], activities[below])
        return total

    def relax(self, x: Array, steps: int) -> list[Array]:
        """The states after this many steps from zero."""
        states = [x] + [np.zeros((len(x), *shape)) for shape in self.net.shapes[1:]]
        halves = [range(1, len(states))]
        if self.net.relaxation == "alternating":
            halves = [range(1, len(states), 2), range(2, len(states), 2)]
        for _ in range(steps):
            for half in halves:
                moved = {layer: self.step(layer, states) for layer in half}
                states = [moved.get(k, state) for k, state in enumerate(states)]
        return states

    def step(self, layer: int, states: list[Array]) -> Array:
        """The next state of a layer."""
        if self.net.setting == "prototypical":
            return self.sigma(self.preactivation(layer, states))
        activities = [self.sigma(state) for state in states]
        total = self.preactivation(layer, activities)
        if self.net.feedback == "tied" and layer < len(states) - 1:
            rho = activities[layer]
            total = total * rho * (1 - rho)  # The derivative of the sigmoid.
        state = states[layer] + self.net.options["dt"] * (total - states[layer])
        return np.clip(state, 0, 1) if self.net.options["clamp"] else state
