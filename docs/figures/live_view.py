"""Draws live_view.svg, and prints the terminal's view of that moment: see ../seeing_inside.md."""

from pathlib import Path

from rich.console import Console

import cep
from cep.training.live.notebook import picture
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Look
from cep.training.live.terminal import view
from cep.training.live.view import Watch
from cep.training.trainer import Trainer

EPOCHS = 40


class LastLook(Screen):
    """Keeps what was shown last."""

    look: Look

    def show(self, look: Look, *, epoch_ended: bool) -> None:
        """Keep a look."""
        self.look = look


data, test = cep.datasets.split(cep.datasets.digits(), 360)
net = cep.Network([64, 128, 10], seed=0)
rule = cep.CEP(free_steps=50, nudged_steps=10, beta=0.5, learning_rates=[0.03, 0.008])
screen = LastLook()
watch = Watch(1.0, Trainer(net, data, test, batch_size=20, seed=0), EPOCHS, screen)
for _ in range(EPOCHS // 2):
    watch.train_epoch(rule)
picture(screen.look).savefig(Path(__file__).with_suffix(".svg"))
Console(width=100, color_system=None).print(view(screen.look, 100))
