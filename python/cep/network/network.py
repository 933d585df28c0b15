"""Networks: layers joined by connections, whose states relax in phases."""

import copy
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cep import _cep
from cep._engine.words import (
    ACTIVATIONS,
    BIASES,
    DTYPES,
    FEEDBACK_WEIGHTS,
    FEEDBACKS,
    LOSSES,
    NOISE_INTERVALS,
    NUDGINGS,
    RELAXATIONS,
    SETTINGS,
    STATES,
    WEIGHTS,
)
from cep._util import validation
from cep.devices import neurons as _neurons
from cep.devices import synapse_words
from cep.devices.neurons import Neurons, TabulatedActivation
from cep.devices.synapses import Ideal, Synapse
from cep.io import parameters as _parameters
from cep.io import tensor_files
from cep.io.tensor_files import TensorFile
from cep.network import connections as _connections
from cep.network import drawing, optimizer_state, to_torch
from cep.network import layers as _layers
from cep.network.arrays import Arrays
from cep.network.layers import Conv2d, Layer, Readout
from cep.network.optimizer_state import OptimizerState
from cep.network.options import NetworkOptions

if TYPE_CHECKING:
    from torch.nn import Sequential

    from cep._cep import Step


FORMAT = "cep network 1"
# Predictions of a network that no rule has trained: the residual to reach, and the maximum steps.
_STEADY, _MOST_STEPS, _STEPS_AT_A_TIME = 1e-4, 1000, 10
# Samples that are relaxed at once, to limit memory.
_ROWS = 256
# Options of networks that are not ideal.
HARDWARE_OPTIONS = (
    *("synapses", "bias_synapses", "neurons", "read_noise", "read_noise_every"),
    "feedback_mismatch",
)


class PhaseOutcome(NamedTuple):
    """How a phase ended."""

    steps: int
    """Steps taken: fewer than requested if all samples came to rest (see `tolerance`)."""
    residual: float
    """``max |s(t+1) − s(t)|`` of the last step, over all units and samples."""
    converged: bool
    """Whether the residual is at most √ε of the dtype: 3.5e-4 in float32, 1.5e-8 in float64."""


class Network:
    """A network of layers and connections whose states relax to a steady state.

    Parameters
    ----------
    sizes : sequence of int, Input, Dense, Conv2d or Readout
        The layers, input first: at least an input, a hidden and an output layer. An integer means
        `Dense`, in first place `Input`. A `Readout` can be the last one.
    setting : {"prototypical", "real-time"}
        How states move in a step. Prototypical: s ← σ(W s + b + feedback). Real-time:
        s ← s + dt (−s + ρ′(s) ⊙ (W ρ(s) + b + feedback)), with the factor ρ′ only on hidden layers
        of tied networks, as published.
    activation : str, TabulatedActivation or sequence of them
        One name for all layers, or one for each layer after the input (a readout has none). Names:
        "shifted_sigmoid" 1 / (1 + e^(−4(x − ½))), "hard_sigmoid" min(max(x, 0), 1), "tanh",
        "sigmoid" 1 / (1 + e^−x), "half_hard_sigmoid" min(max(x / 2, 0), 1), and in a sequence
        "linear". In the real-time setting the input passes through the activation of layer 1. A
        measured curve is a `TabulatedActivation`.
    feedback : {"tied", "untied"}
        Tied: feedback uses the transposed forward weights. Untied: feedback uses separate weights
        (a vector field: VF, C-VF).
    dtype : {"float32", "float64"}
        The dtype of parameters and states.
    seed : int, optional
        Determines the parameters, equal in float32 and float64 up to rounding. None draws a seed
        (see the attribute ``seed``).
    dt : float
        Time step of the real-time setting, in (0, 1].
    clamp : bool
        Real-time setting: whether states are clamped to [0, 1] after every step.
    feedback_angle : float
        Untied feedback: degrees, 0 to 180, between feedback and transposed forward weights at the
        start. The sign of each weight is flipped with probability ½ (1 − cos angle).
    follows_energy : bool
        Real-time setting with tied feedback: whether the output layer also has the factor ρ′, which
        the published equations leave out. Then the states descend the energy (see `energy`).
    relaxation : {"synchronous", "alternating"}
        The order of the layers in a step of a free phase: all at once from their old states, as
        published, or layers 1, 3, … first and then layers 2, 4, … from the new states. The steady
        states are the same. In the prototypical setting an alternating step makes the progress of
        two synchronous ones, and alternating steps settle even if synchronous ones end in a cycle
        of two states. Nudged phases, BPTT and the theorem are always synchronous.
    tolerance : float
        A sample has settled after a step that changes none of its states by more than this, and
        takes no further steps of the phase. If weights move, the phase ends when all samples of the
        batch have settled. The default 0 does not change results.
    loss : {"squared_error", "cross_entropy"}, optional
        Loss of each sample: ½ ‖s_L − y‖², or −Σ y log softmax(s_L). Its negative derivative is the
        pull. With cross-entropy the output layer is linear, and is not clamped. Default: squared
        error; a readout always has cross-entropy.
    nudging : {"outside", "inside"}, optional
        Where the pull acts in the prototypical setting: s ← σ(a) + β·pull (Ernoult et al.), or
        s ← σ(a + β·pull) (Laborieux et al.). Default: outside, and inside with a readout. In the
        real-time setting the pull acts on ds/dt.
    connections : sequence of (int, int) or (int, int, str or Conv2d)
        Connections, without biases, outside the chain that joins each layer to the next: layers
        (from, to), the lower one first, and the kind. Without a kind, two feature maps of the same
        height and width are joined by a convolution of 1 × 1 pixels, other layers by a dense
        connection ("dense"). Their parameters and learning rates come after those of the chain and
        of a readout.
    synapses : Synapse, str or sequence of them, optional
        The models of the weights and feedback weights (see `cep.hardware`): one for all
        connections, or one for each, in the order of ``weights``. The devices make the change that
        the rule's optimizer requests (also Adam's, also that of a readout). A word like "ecram" or
        "linear_step:dw_min=0.002" means the same. Default: ideal. With other synapses, C-EP writes
        the weights at every step.
    bias_synapses : Synapse, str or sequence of them, optional
        What the biases are made of, likewise. Default: ideal.
    neurons : Neurons, optional
        Neurons with noise, few levels or variation (see `cep.hardware.Neurons`). Default: ideal.
    read_noise : float
        Products see W + read_noise · ξ in place of weights and feedback weights, with ξ standard
        normal. Biases are read without noise.
    read_noise_every : {"step", "phase"}
        How often ξ is drawn.
    feedback_mismatch : float
        With untied feedback: the initial feedback weights are Wᵀ + feedback_mismatch · ξ. With
        ``feedback_update="shared"`` the difference stays constant.

    Attributes
    ----------
    weights, biases, feedback_weights, states : sequence of numpy.ndarray
        See their documentation.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    MemoryError
        If the machine cannot hold the network.

    Notes
    -----
    Weights and biases are drawn from U(−1/√fan_in, 1/√fan_in). One thread at a time can use a
    network; a second one gets a RuntimeError. Different networks run in parallel.

    A network equals only itself; compare the ``sizes`` and ``options`` of two networks to see
    whether they were created alike. `copy.copy`, `copy.deepcopy` and pickle give independent
    networks with the same parameters, states and random state.

    Examples
    --------
    >>> net = cep.Network([64, 128, 10], seed=0)
    >>> net.free_phase(np.zeros((1, 64)), steps=100).converged
    True
    >>> net.states[1].shape
    (1, 128)
    """

    # Called with every step of a phase; set on an instance while `cep.trace` traces it.
    _observer: "Callable[[Step], object] | None" = None
    # Determines the order of samples in an epoch.
    _epochs_trained = 0
    # The free steps of the rule that last trained it.
    _free_steps: int | None = None

    def __init__(
        self,
        sizes: Sequence[int | Layer],
        *,
        setting: str = "prototypical",
        activation: str
        | TabulatedActivation
        | Sequence[str | TabulatedActivation] = "shifted_sigmoid",
        feedback: str = "tied",
        dtype: DTypeLike = "float32",
        seed: int | None = None,
        dt: float = 0.2,
        clamp: bool = True,
        feedback_angle: float = 0.0,
        follows_energy: bool = False,
        relaxation: str = "synchronous",
        tolerance: float = 0.0,
        loss: str | None = None,
        nudging: str | None = None,
        connections: Sequence[tuple[int, int] | tuple[int, int, str | Conv2d]] = (),
        synapses: Synapse | str | Sequence[Synapse | str] | None = None,
        bias_synapses: Synapse | str | Sequence[Synapse | str] | None = None,
        neurons: Neurons | str | None = None,
        read_noise: float = 0.0,
        read_noise_every: str = "step",
        feedback_mismatch: float = 0.0,
    ) -> None:
        self._layers = _layers.of(sizes)
        self._shapes = _layers.shapes(self._layers)
        self._sizes = tuple(math.prod(shape) for shape in self._shapes)
        self._setting = validation.choice("setting", setting, SETTINGS)
        self._activation = self._checked_activation(activation)
        self._feedback = validation.choice("feedback", feedback, FEEDBACKS)
        self._dtype = np.dtype(validation.choice("dtype", _dtype_name(dtype), DTYPES))
        self._seed = validation.seed(seed)
        self._dt = validation.real("dt", dt)
        self._clamp = validation.flag("clamp", clamp)
        self._feedback_angle = validation.real("feedback_angle", feedback_angle)
        self._follows_energy = validation.flag("follows_energy", follows_energy)
        self._relaxation = validation.choice("relaxation", relaxation, RELAXATIONS)
        self._tolerance = validation.real("tolerance", tolerance)
        self._given_loss, self._given_nudging = loss, nudging
        self._loss = self._checked_loss(loss)
        self._nudging = self._checked_nudging(nudging)
        self._connections = _connections.checked(connections, self._shapes)
        self._synapses = synapse_words.checked("synapses", synapses)
        self._bias_synapses = synapse_words.checked("bias_synapses", bias_synapses)
        self._neurons = _neurons.checked(neurons)
        self._read_noise = _neurons.deviation("read_noise", read_noise)
        self._read_noise_every = validation.choice(
            "read_noise_every", read_noise_every, NOISE_INTERVALS
        )
        self._feedback_mismatch = _neurons.deviation("feedback_mismatch", feedback_mismatch)
        self._engine = self._make_engine()

    def _checked_activation(self, activation: object) -> str | tuple[str, ...]:
        checked = _activation(activation)
        layers = len(self._layers) - 1 - self._has_readout
        if not isinstance(checked, str) and len(checked) != layers:
            raise ValueError(
                f"activation has {len(checked)} values; expected {layers}, one for each layer "
                "after the input" + ("; a readout has none" if self._has_readout else "")
            )
        return checked

    def _checked_loss(self, loss: str | None) -> str:
        if loss is None:
            return "cross_entropy" if self._has_readout else "squared_error"
        validation.choice("loss", loss, LOSSES)
        if self._has_readout and loss != "cross_entropy":
            raise ValueError(f"a readout is trained with cross_entropy, got the loss {loss!r}")
        return loss

    def _checked_nudging(self, nudging: str | None) -> str:
        if nudging is not None:
            validation.choice("nudging", nudging, NUDGINGS)
        if self._setting == "real-time":
            if nudging == "inside":
                raise ValueError(
                    "nudging is 'inside' in the real-time setting, where the pull acts on ds/dt; "
                    "leave it out"
                )
            return "outside"
        if self._has_readout and nudging == "outside":
            raise ValueError(
                "nudging is 'outside' with a readout; expected 'inside': the pull of a readout is "
                "added to the preactivation of the last hidden layer"
            )
        return nudging or ("inside" if self._has_readout else "outside")

    def _make_engine(self) -> _cep.Network:
        activation = self._activation
        options: dict[str, Any] = {
            "setting": self._setting,
            "activation": activation if isinstance(activation, str) else ",".join(activation),
            "feedback": self._feedback,
            "feedback_angle": self._feedback_angle,
            "dtype": self._dtype.name,
            "seed": self._seed,
            "dt": self._dt,
            "clamp": self._clamp,
            "follows_energy": self._follows_energy,
            "relaxation": self._relaxation,
            "tolerance": self._tolerance,
            "loss": self._loss,
            "readout": self._has_readout,
        }
        words = _layers.words(self._layers)
        if any(isinstance(word, str) for word in words):
            options["layers"] = ",".join(map(str, words))
        else:
            options["sizes"] = self._sizes
        if self._setting == "prototypical":
            options["nudging"] = self._nudging
        if self._connections:
            options["connections"] = tuple(
                layer for each in self._connections for layer in each[:2]
            )
            options["connection_kinds"] = ",".join(map(_connections.word, self._connections))
        for name, models in self._models().items():
            options[name] = ",".join(model.word for model in models)
        options |= self._noise_options()
        engine = _cep.Network(options)
        self._parameter_names = engine.parameters()
        self._with_feedback_weights = frozenset(
            index for name, index in self._parameter_names if name == FEEDBACK_WEIGHTS
        )
        arrays = (np.asarray(engine.array(*each)) for each in self._parameter_names)
        self._parameter_count = sum(array.size for array in arrays)
        return engine

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, input first, and the classes of a readout."""
        return self._sizes

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of one sample's state in each layer: (units,), or (channels, height, width)."""
        return self._shapes

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, input first: `Input`, `Dense`, `Conv2d`, and `Readout` if there is one."""
        return self._layers

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The layers that each connection joins (from, to), in the order of ``weights``.

        The chain, with a readout as its last one, then the other connections.
        """
        others = tuple(each[:2] for each in self._connections)
        return tuple(pairwise(range(len(self._sizes)))) + others

    @property
    def loss(self) -> str:
        """The training loss: "squared_error" or "cross_entropy"."""
        return self._loss

    @property
    def nudging(self) -> str:
        """Where the pull acts in the prototypical setting: "outside" or "inside"."""
        return self._nudging

    @property
    def _has_readout(self) -> bool:
        return bool(self._layers) and isinstance(self._layers[-1], Readout)

    @property
    def setting(self) -> str:
        """The dynamics: "prototypical" or "real-time"."""
        return self._setting

    @property
    def activation(self) -> str | tuple[str, ...]:
        """The activation function's name, or one for each layer after the input."""
        return self._activation

    @property
    def feedback(self) -> str:
        """The feedback: "tied" or "untied"."""
        return self._feedback

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of parameters and states: float32 or float64."""
        return self._dtype

    @property
    def relaxation(self) -> str:
        """Order of the layers in free phases: "synchronous" or "alternating"."""
        return self._relaxation

    @property
    def tolerance(self) -> float:
        """The largest change of a step at which a sample has settled."""
        return self._tolerance

    @property
    def seed(self) -> int:
        """The seed of the initial parameters."""
        return self._seed

    @property
    def options(self) -> NetworkOptions:
        """All constructor options except ``sizes``; later changes are not included."""
        return {
            "setting": self._setting,
            "activation": self._activation,
            "feedback": self._feedback,
            "dtype": self._dtype.name,
            "seed": self._seed,
            "dt": self._dt,
            "clamp": self._clamp,
            "feedback_angle": self._feedback_angle,
            "follows_energy": self._follows_energy,
            "relaxation": self._relaxation,
            "tolerance": self._tolerance,
            "loss": self._given_loss,
            "nudging": self._given_nudging,
            "connections": self._connections,
            "synapses": synapse_words.words(self._synapses),
            "bias_synapses": synapse_words.words(self._bias_synapses),
            "neurons": self._neurons.word or None,
            "read_noise": self._read_noise,
            "read_noise_every": self._read_noise_every,
            "feedback_mismatch": self._feedback_mismatch,
        }

    def _noise_options(self) -> dict[str, Any]:
        """The options that are not ideal."""
        options: dict[str, Any] = {"neurons": self._neurons.word} if self._neurons.word else {}
        if self._read_noise:
            options["read_noise"] = self._read_noise
            options["read_noise_every"] = self._read_noise_every
        if self._feedback_mismatch:
            options["feedback_mismatch"] = self._feedback_mismatch
        return options

    @property
    def neurons(self) -> Neurons:
        """The model of the neurons."""
        return self._neurons

    def _models(self) -> dict[str, tuple[Synapse, ...]]:
        """The given models of synapses."""
        given = {"synapses": self._synapses, "bias_synapses": self._bias_synapses}
        return {name: models for name, models in given.items() if models}

    @property
    def synapses(self) -> tuple[Synapse, ...]:
        """The model of each connection's weights, in the order of ``weights``."""
        models = self._synapses or (Ideal(),)
        return models * len(self.edges) if len(models) == 1 else models

    @property
    def parameter_count(self) -> int:
        """The number of all weights, biases and feedback weights."""
        return self._parameter_count

    @property
    def weights(self) -> Arrays[NDArray[Any]]:
        """Weights of each connection, input first, in place: units above × units below.

        For a convolution: channels above × channels below × height × width of the kernel.
        """
        return Arrays(len(self.edges), lambda k: self._view(WEIGHTS, k))

    @property
    def biases(self) -> Arrays[NDArray[Any]]:
        """Biases of each layer except the input, in place: units of layer k+1, or its channels."""
        return Arrays(len(self._sizes) - 1, lambda k: self._view(BIASES, k))

    @property
    def feedback_weights(self) -> Arrays[NDArray[Any] | None]:
        """Feedback weights of each connection, in place: units below × units above.

        For a convolution they have the shape of the forward weights. None with tied feedback, for
        connections from the input, which have no feedback, and for that of a readout, which is
        outside the dynamics.
        """
        return Arrays(
            len(self.edges),
            lambda k: self._view(FEEDBACK_WEIGHTS, k) if self._has_feedback_weights(k) else None,
        )

    def _has_feedback_weights(self, connection: int) -> bool:
        return connection in self._with_feedback_weights

    def _has_feedback(self, connection: int) -> bool:
        is_readout = self._has_readout and connection == len(self._sizes) - 2
        return self.edges[connection][0] > 0 and not is_readout

    @property
    def states(self) -> Arrays[NDArray[Any]]:
        """States of each layer after the last phase, in place: batch × units, 0 being the input.

        The states of a feature map are batch × channels × height × width.

        If the batch size changes, they get new memory; older arrays keep the old states.
        Reading one before the first phase raises RuntimeError.
        """
        layers = len(self._sizes) - self._has_readout
        return Arrays(layers, lambda layer: self._view(STATES, layer))

    def _view(self, name: str, index: int) -> NDArray[Any]:
        return np.asarray(self._engine.array(name, index))

    @property
    def random_state(self) -> tuple[int, int, int, int]:
        """The state of the stream from which `train_batch` and `gradient` draw random signs of β.

        Four integers of 64 bits, not all 0. Setting it continues the stream from there. `fit` and
        `cep.run` draw from separate streams, which their seed determines.
        """
        return self._engine.get_random_state()

    @random_state.setter
    def random_state(self, state: Sequence[int]) -> None:
        try:
            values = list(state)
        except TypeError:
            raise TypeError(f"random_state must be four integers, got {state!r}") from None
        words = [
            validation.integer(f"random_state[{k}]", word, highest=2**64 - 1)
            for k, word in enumerate(values)
        ]
        if len(words) != 4 or min(words) < 0:
            raise ValueError(f"random_state must be four integers, 0 to 2**64 − 1, got {words}")
        self._engine.set_random_state(tuple(words))  # type: ignore[arg-type]

    def parameters(self) -> Iterator[NDArray[Any]]:
        """All parameters in place: weights, biases, then feedback weights if there are any."""
        yield from self._named_parameters().values()

    def _named_parameters(self) -> dict[str, NDArray[Any]]:
        """All parameters in place, by their names in files: ``weights.0``, …."""
        order = (WEIGHTS, BIASES, FEEDBACK_WEIGHTS)
        known = sorted(
            self._parameter_names,
            key=lambda each: order.index(each[0]) if each[0] in order else len(order),
        )
        return {f"{name}.{index}": self._view(name, index) for name, index in known}

    def _device_arrays(self) -> dict[str, NDArray[Any]]:
        """All tensors of the devices in place: ``weights.w_max.0``, …."""
        return {f"{name}.{k}": self._view(name, k) for name, k in self._engine.devices()}

    def _device_tensors(self) -> dict[str, NDArray[Any]]:
        """The same by their names in files."""
        return {_parameters.DEVICE + name: array for name, array in self._device_arrays().items()}

    def _restore_devices(self, devices: Mapping[str, NDArray[Any]]) -> None:
        """Copy tensors of devices into the network.

        Raises
        ------
        ValueError
            For tensors of other names, shapes or types. Nothing changes then.
        """
        views = self._device_tensors()
        _parameters.check_devices(devices, views)
        for name, array in views.items():
            array[...] = devices[name]

    def like(self) -> "Network":
        """A new network with the same sizes, options and seed, with initial parameters."""
        return Network(self._layers, **self.options)

    def copy(self) -> "Network":
        """An independent copy that continues as this network would; the same as `copy.copy`.

        Raises
        ------
        RuntimeError
            If another thread is using the network.
        MemoryError
            If memory is not available.
        """
        return copy.copy(self)

    def _frozen(self) -> "Network":
        """A consistent copy of the engine's network, unaffected by other threads."""
        frozen = object.__new__(Network)
        vars(frozen).update(vars(self))
        frozen._engine = self._engine.copy()
        return frozen

    def free_phase(self, x: ArrayLike, steps: int, *, reset: bool = True) -> PhaseOutcome:
        """Clamp the input to ``x`` and let the states relax without nudging.

        Parameters
        ----------
        x : array_like, batch × units of layer 0
            Real numbers, all finite; converted if they are not C-contiguous floats. Images may
            be batch × channels × height × width.
        steps : int
            Number of steps, 1 or more.
        Whether to start from zero states. Otherwise from the present ones, which must have the same
        batch size.

        Returns
        -------
        PhaseOutcome
            Steps taken, last residual, and whether the states have converged.

        Raises
        ------
        TypeError, ValueError
            For an argument of the wrong type, shape or value.
        RuntimeError
            For ``reset=False`` before any phase.
        DivergenceError
            If a state became infinite or not a number.
        """
        inputs = validation.matrix("x", x, self._dtype, self._shapes[0])
        return PhaseOutcome(
            *self._engine.free_phase(
                inputs, validation.integer("steps", steps), not reset, self._observer
            )
        )

    def nudged_phase(self, y: ArrayLike, beta: float, steps: int) -> PhaseOutcome:
        """Relax the present states, nudged towards ``y`` with strength β.

        Weights do not move; `train_batch` and `fit` run the rules that move them.

        Parameters
        ----------
        y : array_like
            Integer classes, one for each sample, or target values, batch × output units.
        beta : float
            Strength β of the nudging, not 0.
        steps : int
            Number of steps, 1 or more.

        Returns
        -------
        PhaseOutcome
            Steps taken, last residual, and whether the states have converged.

        Raises
        ------
        TypeError, ValueError
            For an argument of the wrong type, shape or value.
        RuntimeError
            Before the first free phase.
        DivergenceError
            If a state became infinite or not a number.
        """
        wanted = validation.targets(y, self._dtype)
        return PhaseOutcome(
            *self._engine.nudged_phase(
                wanted,
                validation.real("beta", beta),
                validation.integer("steps", steps),
                self._observer,
            )
        )

    def predict(self, x: ArrayLike, steps: int | None = None) -> NDArray[np.int64]:
        """The class of each row of ``x``, the one with the largest score after a free phase.

        Parameters
        ----------
        x : array_like, samples × units of layer 0
            Real numbers, all finite. Images may be samples × channels × height × width.
        steps : int, optional
            Steps of the free phase, 1 or more. Default: the free steps of the rule that last
            trained the network; without one, the steps until ``max |s(t+1) − s(t)|`` is at most
            1e-4, but at most 1,000.

        Returns
        -------
        numpy.ndarray of int64, samples
            The classes. The network's states do not change.

        Raises
        ------
        TypeError, ValueError
            For an argument of the wrong type, shape or value.
        """
        inputs = validation.matrix("x", x, self._dtype, self._shapes[0])
        classes = np.empty(len(inputs), dtype=np.int64)
        self._engine.predict(inputs, self._steps(inputs, steps), classes)
        return classes

    def outputs(self, x: ArrayLike, steps: int | None = None) -> NDArray[Any]:
        """Scores of each class after a free phase: states of the output layer, or of a readout.

        Parameters
        ----------
        x, steps
            As for `predict`.

        Returns
        -------
        numpy.ndarray, samples × output units
            The scores in the network's dtype. The network's states do not change.

        Raises
        ------
        TypeError, ValueError
            For an argument of the wrong type, shape or value.
        DivergenceError
            If a state became infinite or not a number.
        """
        inputs = validation.matrix("x", x, self._dtype, self._shapes[0])
        steps = self._steps(inputs, steps)
        frozen = self._frozen()
        scores = np.empty((len(inputs), self._sizes[-1]), self._dtype)
        for rows in _chunks(len(inputs)):
            frozen.free_phase(inputs[rows], steps)
            states = frozen.states[-1].reshape(len(inputs[rows]), -1)
            readout = len(self._sizes) - 2
            scores[rows] = (
                states @ frozen.weights[readout].T + frozen.biases[readout]
                if self._has_readout
                else states
            )
        return scores

    def _steps(self, inputs: NDArray[Any], steps: int | None) -> int:
        """The number of steps of a free phase for predictions."""
        if steps is not None:
            return validation.integer("steps", steps)
        if self._free_steps is not None:
            return self._free_steps
        frozen, longest = self._frozen(), 1
        for rows in _chunks(len(inputs)):
            taken, residual = 0, math.inf
            while residual > _STEADY and taken < _MOST_STEPS:
                residual = frozen.free_phase(
                    inputs[rows], _STEPS_AT_A_TIME, reset=not taken
                ).residual
                taken += _STEPS_AT_A_TIME
            longest = max(longest, taken)
        return longest

    def feedback_angles(self) -> list[float | None]:
        """Degrees between each connection's feedback and transposed forward weights.

        0 with tied feedback; None for connections from the input and for that of a readout, which
        have no feedback.
        """
        return [
            self._engine.feedback_angle(k) if self._has_feedback(k) else None
            for k in range(len(self.edges))
        ]

    def energy(self) -> NDArray[np.float64]:
        """The energy that the states descend as they relax, for each sample of the present batch.

        Real-time setting: the energy, over layers l = 1 … L::

            E = ½ Σ s_l² − Σ ρ(s_l)ᵀ W ρ(s_{l−1}) − Σ b_lᵀ ρ(s_l)

        The free dynamics follow its negative gradient on the hidden layers. The published output
        layer lacks the factor ρ′(s); a network with ``follows_energy=True`` has it and descends E
        (to first order in dt, and if states are not clamped).

        Prototypical setting: −Φ, the negative primitive function::

            Φ = Σ s_lᵀ W s_{l−1} + Σ b_lᵀ s_l

        The dynamics apply the activation to its gradient, s ← σ(∂Φ/∂s). −Φ mostly decreases as
        states relax, but this is not guaranteed.

        Returns
        -------
        numpy.ndarray of float64, batch

        Raises
        ------
        ValueError
            With untied feedback, for which no energy exists.
        RuntimeError
            Before the first phase.
        """
        if self._feedback != "tied":
            raise ValueError("a network with untied feedback has no energy; expected tied feedback")
        energies = np.empty(len(self.states[0]))
        self._engine.energy(energies)
        return energies

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the network to a file for `cep.load`.

        It is a safetensors file: NumPy, PyTorch and JAX can read the parameters, named
        ``weights.0``, ``biases.0``, ``feedback_weights.1``, … . Sizes, options and random state are
        in its metadata. The states of the last phase are not saved.

        Parameters
        ----------
        path : path
            The file, usually ``.safetensors``. An existing file is replaced atomically.

        Raises
        ------
        OSError
            If it cannot be written. The old file is then unchanged.
        RuntimeError
            If another thread is using the network.
        ImportError
            If safetensors is not installed.
        """
        frozen = self._frozen()
        state = {
            "sizes": _layers.words(self._layers),
            "readout": self._has_readout,
            "options": self.options,
            "random_state": frozen.random_state,
        }
        tensors = frozen._named_parameters() | frozen._device_tensors()
        tensor_files.write(path, TensorFile(FORMAT, state, tensors))

    def to_torch(self) -> "Sequential":
        """The weights and biases as a ``torch.nn.Sequential`` of linear layers, input first.

        A convolution is a ``torch.nn.Conv2d``, followed by its pooling; a feature map is flattened
        before a linear layer.

        Only parameters are exchanged: there are no activations between the layers, because a
        network computes a steady state and not a chain of layers. Feedback weights are left out.
        `cep.from_torch` is the inverse.

        Returns
        -------
        torch.nn.Sequential
            The layers with copies, in the network's dtype. ``torch.from_dlpack(net.weights[0])`` is
            a tensor that shares the memory.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        """
        if self._connections:
            raise ValueError(
                "the network has connections outside its chain, which a Sequential cannot have"
            )
        frozen = self._frozen()
        return to_torch.stack(self._layers, self._dtype, frozen.weights, frozen.biases)

    def __getstate__(self) -> dict[str, Any]:
        frozen = self._frozen()
        apart = {"_engine", "_observer"}
        attributes = {name: value for name, value in vars(self).items() if name not in apart}
        return {
            "attributes": attributes,
            "parameters": list(frozen.parameters()),
            "states": frozen._present_states(),
            "random_state": frozen.random_state,
            "optimizer": frozen._optimizer_state(),
            "devices": frozen._device_tensors(),
        }

    def _present_states(self) -> list[NDArray[Any]] | None:
        """The states; None before the first phase."""
        try:
            return list(self.states)
        except RuntimeError:
            return None

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state["attributes"])
        self._engine = self._make_engine()
        if state["states"] is not None:
            # A phase creates states. It runs before the parameters are set, with which it might
            # diverge.
            inputs = np.zeros((len(state["states"][0]), self._sizes[0]), self._dtype)
            self._engine.free_phase(inputs, 1, False, None)
            for mine, theirs in zip(self.states, state["states"], strict=True):
                mine[...] = theirs
        for mine, theirs in zip(self.parameters(), state["parameters"], strict=True):
            mine[...] = theirs
        self._restore_devices(state["devices"])
        self.random_state = state["random_state"]
        self._restore_optimizer(state.get("optimizer"))

    def _optimizer_state(self) -> OptimizerState | None:
        """A copy of the optimizer's state; None without one."""
        return optimizer_state.of(self._engine, self._named_parameters())

    def _restore_optimizer(self, state: OptimizerState | None) -> None:
        """Check and restore the state of an optimizer."""
        optimizer_state.restore(self._engine, self._named_parameters(), state)

    def _restore_parameters(self, parameters: Mapping[str, NDArray[Any]]) -> None:
        """Copy checked parameters into the network."""
        for name, array in self._named_parameters().items():
            array[...] = parameters[name]

    def __repr__(self) -> str:
        name = "cep.Network" if type(self) is Network else type(self).__qualname__
        sizes = drawing.summary(self._shapes) + (" readout" if self._has_readout else "")
        words = [f"{each}={value!r}" for each, value in self._telling_options().items()]
        return f"<{name} {sizes}, {self.parameter_count} parameters: {', '.join(words)}>"

    def _repr_html_(self) -> str:
        return drawing.html(self.shapes, self.parameter_count, self._telling_options())

    def _telling_options(self) -> dict[str, Any]:
        """The options that apply here and differ from common values."""
        options: dict[str, Any] = {"setting": self._setting, "activation": self._activation}
        if self._setting == "real-time":
            options |= {"dt": self._dt, "clamp": self._clamp}
            options |= {"follows_energy": True} if self._follows_energy else {}
        options["feedback"] = self._feedback
        if self._feedback == "untied":
            options["feedback_angle"] = self._feedback_angle
        if self._relaxation != "synchronous":
            options["relaxation"] = self._relaxation
        if self._tolerance:
            options["tolerance"] = self._tolerance
        if self._loss != "squared_error":
            options["loss"] = self._loss
        if self._nudging != "outside":
            options["nudging"] = self._nudging
        if self._connections:
            options["connections"] = self._connections
        for name, models in self._models().items():
            options[name] = synapse_words.words(models)
        options |= self._noise_options()
        return options | {"dtype": self._dtype.name, "seed": self._seed}


def _chunks(samples: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, samples, _ROWS))


def _dtype_name(dtype: DTypeLike) -> str:
    if dtype is None:
        return "None"
    try:
        return np.dtype(dtype).name
    except TypeError:
        return repr(dtype)


def _activation(value: object) -> str | tuple[str, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return activation_word("activation", value, ACTIVATIONS)
    return tuple(
        activation_word(f"activation[{k}]", name, [*ACTIVATIONS, "linear"])
        for k, name in enumerate(value)
    )


def activation_word(name: str, value: object, choices: Iterable[str]) -> str:
    """A name of some activations, or the word for a tabulated one."""
    if isinstance(value, TabulatedActivation):
        return value.word
    if isinstance(value, str) and value.startswith("tabulated"):
        return TabulatedActivation.from_word(value).word
    return validation.choice(name, value, choices)
