"""Equilibrium Propagation with continual weight updates (Ernoult et al., 2020).

>>> import cep
>>> x, y = cep.datasets.digits()
>>> net = cep.Network([64, 128, 10], seed=0)
>>> rule = cep.CEP(free_steps=30, nudged_steps=10, beta=0.5, learning_rates=[0.05, 0.02])
>>> history = cep.fit(net, (x, y), rule, epochs=1, seed=0, progress=False)
"""

import importlib
from typing import TYPE_CHECKING

from cep import checkpoints, datasets, hardware, presets, reproduction, runs
from cep._cep import DivergenceError, __version__
from cep.angles_plot import plot_angles
from cep.checkpoints import Checkpoint
from cep.configuration import Configuration
from cep.devices.neurons import TabulatedActivation
from cep.evaluation import Evaluation, evaluate
from cep.gradients import Gradient, gradient
from cep.history import History
from cep.layers import Conv2d, Dense, Input, Readout
from cep.live import LiveView
from cep.network import Network, PhaseOutcome
from cep.network_files import load
from cep.network_options import NetworkOptions
from cep.optimizers import SGD, Adam, Optimizer
from cep.phase_records import Record, RecordedPhase, record
from cep.plots import plot_gdu, plot_history
from cep.processor import get_num_threads, instruction_set, set_num_threads
from cep.relaxation_plot import plot_relaxation
from cep.reproduction import Reproduction, reproduce
from cep.rules import BPTT, CEP, EP, RBP, LearningRule
from cep.runs import RunOutcome, RunResult, SweepResult, run, run_many, sweep
from cep.suggestions import Suggestion, suggest
from cep.tensor_files import CheckpointError
from cep.theorem import ConvergenceWarning, GDUReport, gdu_check
from cep.torch_exchange import from_torch
from cep.training import BatchResult, fit, train_batch
from cep.weights_plot import plot_weights

__all__ = [
    "BPTT",
    "CEP",
    "EP",
    "RBP",
    "SGD",
    "Adam",
    "BatchResult",
    "Checkpoint",
    "CheckpointError",
    "Configuration",
    "Conv2d",
    "ConvergenceWarning",
    "Dense",
    "DivergenceError",
    "Evaluation",
    "GDUReport",
    "Gradient",
    "History",
    "Input",
    "LearningRule",
    "LiveView",
    "Network",
    "NetworkOptions",
    "Optimizer",
    "PhaseOutcome",
    "Readout",
    "Record",
    "RecordedPhase",
    "Reproduction",
    "RunOutcome",
    "RunResult",
    "Suggestion",
    "SweepResult",
    "TabulatedActivation",
    "__version__",
    "checkpoints",
    "datasets",
    "evaluate",
    "fit",
    "from_torch",
    "gdu_check",
    "get_num_threads",
    "gradient",
    "hardware",
    "instruction_set",
    "load",
    "plot_angles",
    "plot_gdu",
    "plot_history",
    "plot_relaxation",
    "plot_weights",
    "presets",
    "record",
    "reproduce",
    "reproduction",
    "run",
    "run_many",
    "runs",
    "set_num_threads",
    "suggest",
    "sweep",
    "train_batch",
]

if TYPE_CHECKING:
    from cep import sklearn as sklearn
else:

    def __getattr__(name: str) -> object:
        # scikit-learn takes half a second to import, and may be absent.
        if name == "sklearn":
            return importlib.import_module("cep.sklearn")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
