"""Equilibrium Propagation with continual weight updates (Ernoult et al., 2020).

>>> import cep
>>> x, y = cep.datasets.digits()
>>> net = cep.Network([64, 128, 10], seed=0)
>>> rule = cep.CEP(free_steps=30, nudged_steps=10, beta=0.5, learning_rates=[0.05, 0.02])
>>> history = cep.fit(net, (x, y), rule, epochs=1, seed=0, progress=False)
"""

import importlib
from typing import TYPE_CHECKING

from cep import datasets, hardware, reproduction
from cep import experiments as runs
from cep._cep import DivergenceError, __version__
from cep._engine.processor import get_num_threads, instruction_set, set_num_threads
from cep.devices.neurons import TabulatedActivation
from cep.experiments import (
    RunDirectory,
    RunOutcome,
    RunResult,
    SweepResult,
    TuneResult,
    checkpoints,
    presets,
    run,
    run_many,
    sweep,
    tune,
)
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.configuration import Configuration
from cep.experiments.loading import load
from cep.io.tensor_files import CheckpointError
from cep.learning.gradients import Gradient, gradient
from cep.learning.optimizers import SGD, Adam, Optimizer
from cep.learning.rules import BPTT, CEP, EP, RBP, LearningRule
from cep.learning.suggestions import Suggestion, suggest
from cep.learning.theorem import ConvergenceWarning, GDUReport, gdu_check
from cep.network.from_torch import from_torch
from cep.network.layers import Conv2d, Dense, Input, Readout
from cep.network.network import Network, PhaseOutcome
from cep.network.options import NetworkOptions
from cep.network.phase_traces import PhaseTrace, Trace, trace
from cep.plotting.angles import plot_angles
from cep.plotting.plots import plot_gdu, plot_history, plot_records
from cep.plotting.relaxation import plot_relaxation
from cep.plotting.weights import plot_weights
from cep.reproduction import Reproduction, reproduce
from cep.training.batches import BatchResult, train_batch
from cep.training.callbacks import (
    CSVLog,
    EarlyStopping,
    LearningRateSchedule,
    SaveNetwork,
    TensorBoard,
)
from cep.training.checks import LearningWarning
from cep.training.diagnostics import Diagnostics
from cep.training.evaluation import Evaluation, evaluate
from cep.training.fitting import fit
from cep.training.history import History
from cep.training.live import LiveView
from cep.training.loop import STOP, Callback, StopTraining, Training
from cep.training.progress import ProgressBar

__all__ = [
    "BPTT",
    "CEP",
    "EP",
    "RBP",
    "SGD",
    "STOP",
    "Adam",
    "BatchResult",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "CheckpointError",
    "Configuration",
    "Conv2d",
    "ConvergenceWarning",
    "Dense",
    "Diagnostics",
    "DivergenceError",
    "EarlyStopping",
    "Evaluation",
    "GDUReport",
    "Gradient",
    "History",
    "Input",
    "LearningRateSchedule",
    "LearningRule",
    "LearningWarning",
    "LiveView",
    "Network",
    "NetworkOptions",
    "Optimizer",
    "PhaseOutcome",
    "PhaseTrace",
    "ProgressBar",
    "Readout",
    "Reproduction",
    "RunDirectory",
    "RunOutcome",
    "RunResult",
    "SaveNetwork",
    "StopTraining",
    "Suggestion",
    "SweepResult",
    "TabulatedActivation",
    "TensorBoard",
    "Trace",
    "Training",
    "TuneResult",
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
    "plot_records",
    "plot_relaxation",
    "plot_weights",
    "presets",
    "reproduce",
    "reproduction",
    "run",
    "run_many",
    "runs",
    "set_num_threads",
    "suggest",
    "sweep",
    "trace",
    "train_batch",
    "tune",
]

if TYPE_CHECKING:
    from cep import sklearn as sklearn
else:

    def __getattr__(name: str) -> object:
        # scikit-learn takes half a second to import, and may be absent.
        if name == "sklearn":
            return importlib.import_module("cep.sklearn")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
