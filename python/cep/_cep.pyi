from collections.abc import Buffer, Callable
from typing import final

from cep.rules import EngineRule

__version__: str

# (free steps, nudged steps, beta, learning rates input first, of biases, as recorded)
EngineConditions = tuple[int, int, float, tuple[float, ...], tuple[float, ...], bool]
# Called with (samples done, of, wrong predictions, sum of losses).
_Progress = Callable[[int, int, int, float], object]

class DivergenceError(ArithmeticError): ...

@final
class Array:
    def __buffer__(self, flags: int, /) -> memoryview: ...

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
    ) -> Network: ...
    def array(self, kind: int, index: int, /) -> Array: ...
    def free_phase(
        self, x: Buffer, steps: int, continue_from_state: bool, /
    ) -> tuple[int, float, bool]: ...
    def nudged_phase(self, y: Buffer, beta: float, steps: int, /) -> tuple[int, float, bool]: ...
    def train_batch(self, x: Buffer, y: Buffer, rule: EngineRule, /) -> tuple[int, int, float]: ...
    def train_epoch(
        self,
        x: Buffer,
        y: Buffer,
        rule: EngineRule,
        batch_size: int,
        shuffle_seed: int,
        progress: _Progress | None,
        /,
    ) -> tuple[int, int, float]: ...
    def gradient(
        self, x: Buffer, y: Buffer, rule: EngineRule, /
    ) -> tuple[Gradient, tuple[int, int, float]]: ...
    def check_theorem(
        self, x: Buffer, y: Buffer, conditions: EngineConditions, /
    ) -> Theorem: ...
    def energy(self, energies: Buffer, /) -> None: ...
    def feedback_angle(self, connection: int, /) -> float: ...
    def evaluate(self, x: Buffer, y: Buffer, steps: int, /) -> tuple[int, int, float]: ...
    def predict(self, x: Buffer, steps: int, classes: Buffer, /) -> None: ...
