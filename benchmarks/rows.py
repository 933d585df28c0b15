"""The rows of the paper's table, as every contestant runs them."""

import itertools
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row: an architecture, a rule and its hyperparameters (learning rates input first)."""

    name: str
    sizes: tuple[int, ...]
    continual: bool
    untied: bool
    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: tuple[float, ...]


ONE, TWO = (784, 512, 10), (784, 512, 512, 10)
ROWS = [
    Row("EP-1h", ONE, False, False, 30, 10, 0.1, (0.08, 0.04)),
    Row("C-EP-1h", ONE, True, False, 40, 15, 0.2, (0.0056, 0.0028)),
    Row("C-VF-1h", ONE, True, True, 40, 15, 0.2, (0.0076, 0.0038)),
    Row("EP-2h", TWO, False, False, 100, 20, 0.5, (0.2, 0.05, 0.005)),
    Row("C-EP-2h", TWO, True, False, 100, 20, 0.5, (0.01, 0.0018, 0.00018)),
    Row("C-VF-2h", TWO, True, True, 100, 20, 0.35, (0.009, 0.0016, 0.00016)),
]


@dataclass(frozen=True)
class ConvolutionRow:
    """The convolutional network of Ernoult et al. (2019): max-pooled convolutions, then dense."""

    name: str = "P-conv"
    image: tuple[int, int, int] = (1, 28, 28)
    channels: tuple[int, ...] = (32, 64)
    kernel: int = 5
    classes: int = 10
    free_steps: int = 200
    nudged_steps: int = 10
    beta: float = 0.4
    learning_rate: float = 1e-3

    @property
    def maps(self) -> list[tuple[int, int, int]]:
        """Shapes of the feature maps."""
        found = [self.image]
        for channels in self.channels:
            size = (found[-1][1] - self.kernel + 1) // 2
            found.append((channels, size, size))
        return found[1:]

    @property
    def flat(self) -> int:
        """Units of the last feature map."""
        return math.prod(self.maps[-1])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer."""
        shapes = [self.image, *self.maps]
        return (*(math.prod(shape) for shape in shapes), self.classes)

    def floor_flops(self, batch: int) -> float:
        """The products of all convolutions except the first, in both directions, at every step."""
        steps = self.free_steps + self.nudged_steps
        shapes = [self.image, *self.maps]
        total = 0
        for below, above in itertools.pairwise(shapes[1:]):
            pixels = (below[1] - self.kernel + 1) ** 2
            total += 2 * 2 * pixels * above[0] * below[0] * self.kernel**2
        return float(batch * steps * total)


CONVOLUTION_ROWS = [ConvolutionRow()]


def floor_flops(row: Row, batch: int) -> float:
    """Floating-point operations of one batch with cep's algebra: products only.

    The input product is counted once. Each step has the products between moving layers, up and
    down. Continual updates add the movement of each connection, in the cheaper of two forms:
    through batch × batch (tied: two of them) or batch × (steps so far · batch) matrices, or by
    writing a changed copy of the weights. The update is counted once. Every step is counted,
    although samples at rest need none.
    """
    sizes = row.sizes
    pairs = list(itertools.pairwise(sizes))
    steps = row.free_steps + row.nudged_steps
    flops = 2 * batch * sizes[0] * sizes[1]
    flops += steps * sum(2 * 2 * batch * below * above for below, above in pairs[1:])
    if row.continual:
        moving_steps = row.nudged_steps - 1
        flops += 2 * batch * batch * sizes[0]
        flops += moving_steps * 2 * batch * batch * sizes[1]
        for below, above in pairs[1:]:
            ranks = sum(batch * step for step in range(row.nudged_steps))
            kept = ranks if row.untied else moving_steps * 2 * batch
            written = moving_steps * (1 + row.untied) * 2 * batch * below * above
            flops += min(2 * 2 * batch * kept * (below + above), written)
    moving = [1 + row.untied * (k > 0) for k in range(len(pairs))]
    for k, (below, above) in enumerate(pairs):
        rank = batch
        if k > 0:
            rank = batch * (row.nudged_steps if row.untied and row.continual else 2 - row.untied)
        flops += moving[k] * 2 * rank * below * above
    return flops
