"""Train rows with cep and, for comparison, with an independent program in JAX.

    pip install jax
    export CEP_DATA=<folder of the MNIST files>
    PYTHONPATH=benchmarks python results/second_program.py

The program in JAX is that of the benchmarks (benchmarks/peer_jax.py). It implements the equations
without any code of cep. Both start with the same parameters and use the same batches and the same
signs of β. The errors of both networks are measured with the same free phases. Writes
second_program.md beside this file.
"""

import dataclasses
from pathlib import Path

import numpy as np
import peer_jax
from rows import ROWS, Row
from table import markdown

import cep
from cep import datasets

HERE = Path(__file__).resolve().parent
# Row, training images and epochs.
TRIALS = [("EP-2h", 5_000, 10), ("C-VF-1h", 60_000, 4)]
BATCH, SEED = 20, 0
HEADINGS = ("epoch", "train: cep", "JAX", "test: cep", "JAX", "largest difference of a weight")


def main() -> None:
    text = COMMENT
    for name, images, epochs in TRIALS:
        row = next(row for row in ROWS if row.name == name)
        lines = list(side_by_side(row, images, epochs))
        text += f"\n## {name}, {images:,} training images\n\n{markdown(HEADINGS, lines)}\n"
    (HERE / "second_program.md").write_text(text)


def side_by_side(row: Row, images: int, epochs: int):
    """Train both, and yield the cells of a row after each epoch."""
    (x, labels), tests = datasets.load("mnist")
    x, labels = x[:images], labels[:images]
    targets = np.eye(10, dtype=x.dtype)[labels]
    kind = cep.CEP if row.continual else cep.EP
    ours = network(row)
    parameters = to_jax(ours)
    signs = (1, -1) if row.untied else (1,)
    rules = {
        s: kind(row.free_steps, row.nudged_steps, s * row.beta, row.learning_rates) for s in signs
    }
    programs = {
        s: peer_jax.Jax(dataclasses.replace(row, beta=s * row.beta), algebra=row.continual)
        for s in signs
    }
    random = np.random.default_rng(SEED)
    for epoch in range(1, epochs + 1):
        for batch in random.permutation(images).reshape(-1, BATCH):
            sign = random.choice(signs)
            cep.train_batch(ours, x[batch], targets[batch], rules[sign])
            parameters = programs[sign].train_batch(parameters, x[batch], targets[batch])
        theirs = from_jax(row, parameters)
        errors = [
            f"{cep.evaluate(net, data, row.free_steps).error:.2%}"
            for data in ((x, labels), tests)
            for net in (ours, theirs)
        ]
        pairs = zip(ours.weights, theirs.weights, strict=True)
        difference = max(float(np.abs(a - b).max()) for a, b in pairs)
        print(row.name, epoch, *errors, f"{difference:.0e}", flush=True)
        yield [str(epoch), *errors, f"{difference:.0e}"]


def network(row: Row) -> cep.Network:
    return cep.Network(row.sizes, feedback="untied" if row.untied else "tied", seed=SEED)


def to_jax(net: cep.Network):
    """The parameters of a network in the form of the program in JAX."""
    import jax.numpy as jnp

    groups = (net.weights, net.biases, net.feedback_weights)
    nothing = np.zeros((0, 0), dtype=np.float32)
    return tuple([jnp.array(nothing if a is None else a) for a in arrays] for arrays in groups)


def from_jax(row: Row, parameters) -> cep.Network:
    """A network with the parameters of the program in JAX."""
    net = network(row)
    groups = (net.weights, net.biases, net.feedback_weights)
    for ours, theirs in zip(groups, parameters, strict=True):
        for to, values in zip(ours, theirs, strict=True):
            if to is not None:
                to[...] = np.asarray(values)
    return net


COMMENT = """# The same rows, trained by a second program

Written by `PYTHONPATH=benchmarks python results/second_program.py`.

A program in JAX, written from the equations of the paper without any code of cep, is trained next
to cep, with the same initial parameters, the same batches and the same signs of β. Rounding errors
make the two networks diverge from each other in time, and earlier if a row amplifies small
differences. Compare how they learn, and which problems occur in both.
"""


if __name__ == "__main__":
    main()
