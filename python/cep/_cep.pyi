from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from numpy.typing import NDArray

from cep.rules import EngineRule

__version__: str

def instruction_set() -> str: ...
def get_num_threads() -> int: ...
def set_num_threads(count: int, /) -> None: ...

# (free steps, nudged steps, beta, learning rates input first, of biases, as recorded)
EngineConditions = tuple[int, int, float, tuple[float, ...], tuple[float, ...], bool]
# (batches done before; batches, 0 for all that are left; their wrong predictions, sum of losses).
_EpochPart = tuple[int, int, int, float]
RandomState = tuple[int, int, int, int]
# Called with (samples done, of, wrong predictions, sum of losses).
_Progress = Callable[[int, int, int, float], object]

class DivergenceError(ArithmeticError): ...

@final
class Array:
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Step:
    # (steps taken, beta, residual, whether weights move); both raise when the step is over.
    def summary(self) -> tuple[int, float, float, bool]: ...
    def array(self, kind: int, index: int, /) -> Array: ...

# Called with every moment of every phase.
_Observer = Callable[[Step], object] | None

@final
class Gradient:
    def array(self, kind: int, index: int, /) -> Array: ...

@final
class Theorem:
    def summary(self) -> tuple[float, tuple[int, float, bool]]: ...
    def compare(self, kind: int, index: int, /) -> tuple[Array, Array, float, float]: ...

@final
class Network:
    def __new__(
        cls,
        sizes: tuple[int, ...],
        setting: int,
        activation: int,
        feedback: int,
        dtype: int,
        seed: int,
        dt: float,
        clamp: bool,
        follows_energy: bool,
        feedback_angle: float,
        relaxation: int,
        tolerance: float,
        more: Mapping[str, str | float | Sequence[float]],
    ) -> Network: ...
    def array(self, kind: int, index: int, /) -> Array: ...
    def copy(self) -> Network: ...
    def free_phase(
        self, x: NDArray[Any], steps: int, continue_from_state: bool, observer: _Observer, /
    ) -> tuple[int, float, bool]: ...
    def nudged_phase(
        self, y: NDArray[Any], beta: float, steps: int, observer: _Observer, /
    ) -> tuple[int, float, bool]: ...
    def train_batch(
        self, x: NDArray[Any], y: NDArray[Any], rule: EngineRule, observer: _Observer, /
    ) -> tuple[int, int, float]: ...
    def train_epoch(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        rule: EngineRule,
        batch_size: int,
        shuffle_seed: int,
        part: _EpochPart,
        progress: _Progress | None,
        /,
    ) -> tuple[int, int, float]: ...
    def get_random_state(self) -> RandomState: ...
    def set_random_state(self, state: RandomState, /) -> None: ...
    def gradient(
        self, x: NDArray[Any], y: NDArray[Any], rule: EngineRule, observer: _Observer, /
    ) -> tuple[Gradient, tuple[int, int, float]]: ...
    def check_theorem(
        self, x: NDArray[Any], y: NDArray[Any], conditions: EngineConditions, /
    ) -> Theorem: ...
    def energy(self, energies: NDArray[Any], /) -> None: ...
    def feedback_angle(self, connection: int, /) -> float: ...
    def prepare_optimizer(self, rule: EngineRule, /) -> None: ...
    # (name, updates made); no name if there is no state.
    def optimizer(self) -> tuple[str, int]: ...
    def set_optimizer_steps(self, steps: int, /) -> None: ...
    def optimizer_array(self, name: str, kind: int, index: int, /) -> Array: ...
    def check_samples(self, x: NDArray[Any], y: NDArray[Any], /) -> None: ...
    def evaluate(
        self, x: NDArray[Any], y: NDArray[Any], steps: int, /
    ) -> tuple[int, int, float]: ...
    def predict(self, x: NDArray[Any], steps: int, classes: NDArray[Any], /) -> None: ...
