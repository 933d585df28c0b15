"""The equations in PyTorch as a researcher writes them: eager, one step at a time."""

import torch
from rows import Row


class Torch:
    """A network of one row's architecture, in the prototypical setting."""

    name = "PyTorch, eager"

    def __init__(self, row: Row, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.row = row
        self.layers = [
            torch.nn.Linear(below, above)
            for below, above in zip(row.sizes, row.sizes[1:], strict=False)
        ]
        self.feedback = [layer.weight.detach().t().clone() for layer in self.layers]

    @staticmethod
    def activation(x: torch.Tensor) -> torch.Tensor:
        return 1 / (1 + torch.exp(-4 * (x - 0.5)))

    def down(self, k: int, above: torch.Tensor) -> torch.Tensor:
        """The feedback of connection k."""
        return above @ (self.feedback[k].t() if self.row.untied else self.layers[k].weight)

    def step(self, states, target=None, beta=0.0):
        new = [states[0]]
        for k, layer in enumerate(self.layers):
            preactivation = layer(states[k])
            if k + 1 < len(self.layers):
                preactivation = preactivation + self.down(k + 1, states[k + 2])
            new.append(self.activation(preactivation))
        if target is not None:
            new[-1] = new[-1] + beta * (target - states[-1])
        return new

    def update(self, old, new, beta: float) -> None:
        batch = len(old[0])
        for k, (layer, rate) in enumerate(zip(self.layers, self.row.learning_rates, strict=True)):
            scale = rate / (beta * batch)
            if self.row.untied:
                layer.weight += scale * (new[k + 1] - old[k + 1]).t() @ old[k]
                if k > 0:
                    self.feedback[k] += scale * (new[k] - old[k]).t() @ old[k + 1]
            else:
                layer.weight += scale * (new[k + 1].t() @ new[k] - old[k + 1].t() @ old[k])
            layer.bias += scale * (new[k + 1] - old[k + 1]).sum(0)

    @torch.no_grad()
    def train_batch(self, x, y) -> None:
        row = self.row
        states = [x] + [torch.zeros(len(x), size) for size in row.sizes[1:]]
        for _ in range(row.free_steps):
            states = self.step(states)
        free = states
        for _ in range(row.nudged_steps):
            new = self.step(states, y, row.beta)
            if row.continual:
                self.update(states, new, row.beta)
            states = new
        if not row.continual:
            self.update(free, states, row.beta)

    def run(self, x, y, batch: int) -> None:
        """Train on all samples once."""
        samples = torch.from_numpy(x), torch.from_numpy(y)
        for x, y in zip(*(part.split(batch) for part in samples), strict=True):
            self.train_batch(x, y)
