"""The options of a network, by name."""

from collections.abc import Sequence
from typing import TypedDict

from numpy.typing import DTypeLike

from cep.devices.neurons import Neurons, TabulatedActivation
from cep.devices.synapses import Synapse
from cep.network.layers import Conv2d


class NetworkOptions(TypedDict, total=False):
    """The arguments of `Network` except for the sizes, described there."""

    setting: str
    activation: str | TabulatedActivation | Sequence[str | TabulatedActivation]
    feedback: str
    dtype: DTypeLike
    seed: int | None
    dt: float
    clamp: bool
    feedback_angle: float
    follows_energy: bool
    relaxation: str
    tolerance: float
    loss: str | None
    nudging: str | None
    connections: Sequence[tuple[int, int] | tuple[int, int, str | Conv2d]]
    synapses: "Synapse | str | Sequence[Synapse | str] | None"
    bias_synapses: "Synapse | str | Sequence[Synapse | str] | None"
    neurons: Neurons | str | None
    read_noise: float
    read_noise_every: str
    feedback_mismatch: float
