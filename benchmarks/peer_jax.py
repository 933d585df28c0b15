"""The equations in JAX as an expert writes them: one jitted function per batch, lax.scan over
steps.

``algebra=False`` updates the weights at every nudged step. ``algebra=True`` uses cep's algebra: the
weights stay, and their change acts through batch × batch products (docs/performance.md).
"""

import os


def configure(threads: int) -> None:
    """Set the number of threads; before JAX is imported."""
    if threads == 1:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()


class Jax:
    """A network of one row's architecture, in the prototypical setting."""

    def __init__(self, row, *, algebra: bool = False) -> None:
        import jax
        import jax.numpy as jnp

        self.name = "JAX with our algebra" if algebra else "JAX, jitted"
        self.jax = jax
        keys = jax.random.split(jax.random.PRNGKey(0), len(row.sizes))
        weights, biases, feedback = [], [], []
        for key, below, above in zip(keys, row.sizes, row.sizes[1:], strict=False):
            weight_key, bias_key = jax.random.split(key)
            bound = below**-0.5
            weights.append(
                jax.random.uniform(weight_key, (above, below), minval=-bound, maxval=bound)
            )
            biases.append(jax.random.uniform(bias_key, (above,), minval=-bound, maxval=bound))
            feedback.append(weights[-1].T if row.untied and len(weights) > 1 else jnp.zeros((0, 0)))
        self.parameters = (weights, biases, feedback)
        self.train_batch = jax.jit(_train_batch(row, algebra), donate_argnums=0)

    def run(self, x, y, batch: int) -> None:
        """Train on all samples once."""
        for start in range(0, len(x), batch):
            rows = slice(start, start + batch)
            self.parameters = self.train_batch(self.parameters, x[rows], y[rows])
        self.jax.block_until_ready(self.parameters)


def _train_batch(row, algebra):
    import jax
    import jax.numpy as jnp

    last = len(row.sizes) - 2
    rates = row.learning_rates

    def activation(x):
        return 1 / (1 + jnp.exp(2 - 4 * x))

    def preactivations(parameters, x_preactivation, states):
        """The preactivation of each layer; states without the input."""
        weights, biases, feedback = parameters
        result = []
        for k in range(last + 1):
            preactivation = x_preactivation if k == 0 else states[k - 1] @ weights[k].T + biases[k]
            if k < last:
                back = feedback[k + 1].T if row.untied else weights[k + 1]
                preactivation = preactivation + states[k + 1] @ back
            result.append(preactivation)
        return result

    def move(preactivations, states, y, beta):
        new = [activation(preactivation) for preactivation in preactivations]
        new[-1] = new[-1] + beta * (y - states[-1])
        return new

    def updated(parameters, x, old, new, scale):
        weights, biases, feedback = parameters
        old, new = [x, *old], [x, *new]
        result = ([], [], [])
        for k in range(last + 1):
            c = scale * rates[k]
            if row.untied:
                result[0].append(weights[k] + c * (new[k + 1] - old[k + 1]).T @ old[k])
                result[2].append(
                    feedback[k] + c * (new[k] - old[k]).T @ old[k + 1] if k else feedback[k]
                )
            else:
                change = (
                    (new[k + 1] - old[k + 1]).T @ x
                    if k == 0
                    else (new[k + 1].T @ new[k] - old[k + 1].T @ old[k])
                )
                result[0].append(weights[k] + c * change)
                result[2].append(feedback[k])
            result[1].append(biases[k] + c * (new[k + 1] - old[k + 1]).sum(0))
        return result

    def free_phase(parameters, x):
        x_preactivation = x @ parameters[0][0].T + parameters[1][0]
        zeros = [jnp.zeros((x.shape[0], size)) for size in row.sizes[1:]]

        def step(states, _):
            return move(preactivations(parameters, x_preactivation, states), states, 0.0, 0.0), None

        return jax.lax.scan(step, zeros, None, length=row.free_steps)[0], x_preactivation

    def plain(parameters, x, y):
        free, x_preactivation = free_phase(parameters, x)
        scale = 1 / (row.beta * x.shape[0])

        def nudged(states, _):
            return move(
                preactivations(parameters, x_preactivation, states), states, y, row.beta
            ), None

        def continual(carry, _):
            parameters, states = carry
            x_preactivation = x @ parameters[0][0].T + parameters[1][0]
            new = move(preactivations(parameters, x_preactivation, states), states, y, row.beta)
            return (updated(parameters, x, states, new, scale), new), None

        if row.continual:
            (parameters, _), _ = jax.lax.scan(
                continual, (parameters, free), None, length=row.nudged_steps
            )
            return parameters
        final, _ = jax.lax.scan(nudged, free, None, length=row.nudged_steps)
        return updated(parameters, x, free, final, scale)

    def with_algebra(parameters, x, y):
        if not row.continual:
            return plain(parameters, x, y)
        free, x_preactivation = free_phase(parameters, x)
        scale = 1 / (row.beta * x.shape[0])
        gram = x @ x.T

        def moved_drives(states, history, t):
            result = preactivations(parameters, x_preactivation, states)
            for k in range(last + 1):
                c = scale * rates[k]
                moved = states[k] - free[k]
                result[k] = result[k] + c * moved.sum(0)
                if k == 0:
                    result[0] = result[0] + c * gram @ moved
                elif row.untied:
                    # The history has space for all steps; future ones are zero.
                    above, below = history[k], history[k - 1]
                    result[k] += c * (states[k - 1] @ below["sent"].T) @ above["moved"]
                    result[k - 1] += c * (states[k] @ above["sent"].T) @ below["moved"]
                else:
                    below, below0, above, above0 = states[k - 1], free[k - 1], states[k], free[k]
                    result[k] += c * ((below @ below.T) @ above - (below @ below0.T) @ above0)
                    result[k - 1] += c * ((above @ above.T) @ below - (above @ above0.T) @ below0)
            return result

        batch = x.shape[0]
        history = [
            {name: jnp.zeros((row.nudged_steps * batch, size)) for name in ("sent", "moved")}
            for size in (row.sizes[1:] if row.untied else ())
        ]

        def step(carry, t):
            states, history = carry
            new = move(moved_drives(states, history, t), states, y, row.beta)
            place = (t * batch, 0)
            history = (
                [
                    {
                        "sent": jax.lax.dynamic_update_slice(kept["sent"], old, place),
                        "moved": jax.lax.dynamic_update_slice(kept["moved"], now - old, place),
                    }
                    for kept, old, now in zip(history, states, new, strict=bool(history))
                ]
                if history
                else history
            )
            return (new, history), None

        (final, history), _ = jax.lax.scan(step, (free, history), jnp.arange(row.nudged_steps))
        if not row.untied:
            return updated(parameters, x, free, final, scale)
        weights, biases, feedback = updated(parameters, x, free, final, scale)
        for k in range(1, last + 1):
            c = scale * rates[k]
            weights[k] = parameters[0][k] + c * history[k]["moved"].T @ history[k - 1]["sent"]
            feedback[k] = parameters[2][k] + c * history[k - 1]["moved"].T @ history[k]["sent"]
        return weights, biases, feedback

    return with_algebra if algebra else plain
