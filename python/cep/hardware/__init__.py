"""Networks on imperfect hardware: models of devices, and the cost of training."""

from cep.devices import presets as presets
from cep.devices.neurons import Neurons
from cep.devices.synapses import (
    Bounded,
    ConstantStep,
    ExponentialStep,
    Ideal,
    LinearStep,
    PowerStep,
    PulsedSynapse,
    Quantized,
    SoftBounds,
    Synapse,
)
from cep.hardware.arrays import device_arrays
from cep.hardware.counting import Counter, Counts, Energy, SynapseCounts, count
from cep.hardware.plots import plot_errors, plot_pulse_response, plot_weight_histogram

__all__ = [
    "Bounded",
    "ConstantStep",
    "Counter",
    "Counts",
    "Energy",
    "ExponentialStep",
    "Ideal",
    "LinearStep",
    "Neurons",
    "PowerStep",
    "PulsedSynapse",
    "Quantized",
    "SoftBounds",
    "Synapse",
    "SynapseCounts",
    "count",
    "device_arrays",
    "plot_errors",
    "plot_pulse_response",
    "plot_weight_histogram",
]
