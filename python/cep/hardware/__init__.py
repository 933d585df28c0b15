"""Networks on imperfect hardware: devices as synapses, and what they cost."""

from cep.devices import presets
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

__all__ = [
    "Bounded",
    "ConstantStep",
    "ExponentialStep",
    "Ideal",
    "LinearStep",
    "PowerStep",
    "PulsedSynapse",
    "Quantized",
    "SoftBounds",
    "Synapse",
    "device_arrays",
    "presets",
]
