"""The convolutional network of the 2019 paper in PyTorch and in JAX."""

import itertools

from rows import ConvolutionRow


class Torch:
    """Eager, as the authors wrote it: pooled conv2d forward, conv_transpose2d after unpooling
    back.
    """

    name = "PyTorch, eager"

    def __init__(self, row: ConvolutionRow, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.torch, self.row = torch, row
        channels = [row.image[0], *row.channels]
        self.convolutions = [
            torch.nn.Conv2d(below, above, row.kernel)
            for below, above in itertools.pairwise(channels)
        ]
        self.dense = torch.nn.Linear(row.flat, row.classes)

    def step(self, states, target=None, beta=0.0):
        """A step of all layers at once."""
        functions = self.torch.nn.functional
        preactivations, sent_back = [], []
        for k, convolution in enumerate(self.convolutions):
            image = convolution(states[k])
            pooled, winners = functions.max_pool2d(image, 2, return_indices=True)
            preactivations.append(pooled)
            if k > 0:
                spread = functions.max_unpool2d(
                    states[k + 1], winners, 2, output_size=image.shape[-2:]
                )
                sent_back.append(functions.conv_transpose2d(spread, convolution.weight))
        preactivations.append(self.dense(states[-2].flatten(1)))
        sent_back.append((states[-1] @ self.dense.weight).view_as(states[-2]))
        for k, sent in enumerate(sent_back):
            preactivations[k] = preactivations[k] + sent
        new = [states[0], *(preactivation.clamp(0, 1) for preactivation in preactivations)]
        if target is not None:
            new[-1] = new[-1] + beta * (target - states[-1])
        return new

    def gradients(self, states):
        """The gradients of the primitive function by automatic differentiation."""
        torch = self.torch
        parameters = [*self.dense.parameters()]
        for convolution in self.convolutions:
            parameters += convolution.parameters()
        with torch.enable_grad():
            total = (self.dense(states[-2].flatten(1)) * states[-1]).sum()
            for k, convolution in enumerate(self.convolutions):
                pooled = torch.nn.functional.max_pool2d(convolution(states[k]), 2)
                total = total + (pooled * states[k + 1]).sum()
            return parameters, torch.autograd.grad(total, parameters)

    def train_batch(self, x, y) -> None:
        """One batch."""
        torch, row = self.torch, self.row
        with torch.no_grad():
            shapes = [*row.maps, (row.classes,)]
            states = [x.view(-1, *row.image), *(torch.zeros(len(x), *shape) for shape in shapes)]
            for _ in range(row.free_steps):
                states = self.step(states)
            parameters, before = self.gradients(states)
            for _ in range(row.nudged_steps):
                states = self.step(states, y, row.beta)
            _, after = self.gradients(states)
            for parameter, old, new in zip(parameters, before, after, strict=True):
                parameter += row.learning_rate / (row.beta * len(x)) * (new - old)

    def run(self, x, y, batch: int) -> None:
        """Train on all samples once."""
        samples = self.torch.from_numpy(x), self.torch.from_numpy(y)
        for x, y in zip(*(part.split(batch) for part in samples), strict=True):
            self.train_batch(x, y)


class Jax:
    """One jitted function per batch; feedback is the derivative of the forward product."""

    name = "JAX, jitted"

    def __init__(self, row: ConvolutionRow) -> None:
        import jax

        self.jax = jax
        key = jax.random.PRNGKey(0)
        channels = [row.image[0], *row.channels]
        self.parameters = []
        for below, above in itertools.pairwise(channels):
            bound = (below * row.kernel**2) ** -0.5
            shape = (above, below, row.kernel, row.kernel)
            self.parameters.append(jax.random.uniform(key, shape, minval=-bound, maxval=bound))
        bound = row.flat**-0.5
        shape = (row.classes, row.flat)
        self.parameters.append(jax.random.uniform(key, shape, minval=-bound, maxval=bound))
        self.train_batch = jax.jit(_train_batch(row), donate_argnums=0)

    def run(self, x, y, batch: int) -> None:
        """Train on all samples once."""
        for start in range(0, len(x), batch):
            rows = slice(start, start + batch)
            self.parameters = self.train_batch(self.parameters, x[rows], y[rows])
        self.jax.block_until_ready(self.parameters)


def _train_batch(row: ConvolutionRow):
    import jax
    import jax.numpy as jnp

    def up(k, weights, below):
        if k == len(row.channels):
            return below.reshape(len(below), -1) @ weights.T
        image = jax.lax.conv_general_dilated(
            below, weights, (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        return jax.lax.reduce_window(
            image, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
        )

    def step(parameters, first, states, y, beta):
        preactivations = [first]
        for k in range(1, len(parameters)):
            preactivation, back = jax.vjp(lambda s, k=k: up(k, parameters[k], s), states[k])
            preactivations.append(preactivation)
            preactivations[k - 1] = preactivations[k - 1] + back(states[k + 1])[0]
        new = [jnp.clip(preactivation, 0, 1) for preactivation in preactivations]
        new[-1] = new[-1] + beta * (y - states[-1])
        return [states[0], *new]

    def primitive(parameters, states):
        products = (
            (up(k, weights, states[k]) * states[k + 1]).sum()
            for k, weights in enumerate(parameters)
        )
        return sum(products)

    def train_batch(parameters, x, y):
        shapes = [*row.maps, (row.classes,)]
        states = [x.reshape(-1, *row.image), *(jnp.zeros((len(x), *shape)) for shape in shapes)]
        first = up(0, parameters[0], states[0])

        def relax(states, beta, steps):
            def one(states, _):
                return step(parameters, first, states, y, beta), None

            return jax.lax.scan(one, states, None, length=steps)[0]

        free = relax(states, 0.0, row.free_steps)
        nudged = relax(free, row.beta, row.nudged_steps)
        before = jax.grad(primitive)(parameters, free)
        after = jax.grad(primitive)(parameters, nudged)
        rate = row.learning_rate / (row.beta * len(x))
        return [
            weights + rate * (new - old)
            for weights, old, new in zip(parameters, before, after, strict=True)
        ]

    return train_batch
