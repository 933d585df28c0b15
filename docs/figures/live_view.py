"""Draw live_view.svg, and print the terminal's view at the same time: see ../seeing_inside.md."""

from pathlib import Path

import matplotlib
from rich.console import Console

import cep
from cep.training.live import view as live_view
from cep.training.live.notebook import picture
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Snapshot
from cep.training.live.terminal import view

EPOCHS = 40


class LastLook(Screen):
    """Keeps the last snapshot."""

    look: Snapshot

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        """Keep a snapshot."""
        self.look = look


data, test = cep.datasets.split(cep.datasets.digits(), 360)
net = cep.Network([64, 128, 10], seed=0)
rule = cep.CEP(free_steps=50, nudged_steps=10, beta=0.5, learning_rates=[0.03, 0.008])
screen = LastLook()
live_view.screen_here = lambda: screen


class Half(cep.Callback):
    """Stops training halfway."""

    def on_epoch_end(self, training: cep.Training) -> object:
        """Stop."""
        return cep.STOP if training.epoch == EPOCHS // 2 else None


cep.fit(net, data, rule, EPOCHS, validation_data=test, seed=0, callbacks=[cep.LiveView(), Half()])
matplotlib.rcParams["svg.hashsalt"] = "cep"
picture(screen.look).savefig(Path(__file__).with_suffix(".svg"), metadata={"Date": None})
Console(width=88, color_system=None).print(view(screen.look, 88))
