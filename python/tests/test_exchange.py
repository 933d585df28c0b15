"""Arrays of other libraries are accepted, and parameters and states are shared memory."""

import array
import copy
import gc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel
from snapshot import fingerprint, parameters, refused, same

import cep

X = np.round(np.random.default_rng(0).random((5, 4)) * 8) / 8
LABELS = np.array([0, 1, 0, 1, 1])
CODES = {"float32": "f", "float64": "d"}


class OnlyDLPack:
    """An array of a library that supports only DLPack."""

    def __init__(self, given: Any) -> None:
        self.given = np.array(given)

    def __dlpack__(self, **options: Any) -> Any:
        return self.given.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.given.__dlpack_device__()


class OnlyArray:
    """An array of a library that supports only NumPy's protocol."""

    def __init__(self, given: Any) -> None:
        self.given = np.array(given)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.given.astype(dtype or self.given.dtype)


def rows_of_array(given: Any) -> Any:
    """The standard library's arrays have one dimension."""
    code = {"f": "d", "i": "q"}[given.dtype.kind]
    if given.ndim == 1:
        return array.array(code, given.tolist())
    return [array.array(code, row) for row in given.tolist()]


def from_torch(given: Any) -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed").from_numpy(given.copy())


def from_jax(given: Any) -> Any:
    reason = "JAX is not installed"
    return pytest.importorskip("jax.numpy", reason=reason, exc_type=ImportError).asarray(given)


SOURCES: dict[str, Callable[[Any], Any]] = {
    "list": lambda given: given.tolist(),
    "array.array": rows_of_array,
    "memoryview": lambda given: memoryview(given.copy()),
    "cast memoryview": lambda given: memoryview(given.tobytes()).cast(
        "d" if given.dtype.kind == "f" else "q", given.shape
    ),
    "__array__": OnlyArray,
    "DLPack": OnlyDLPack,
    "PyTorch": from_torch,
    "JAX": from_jax,
}


@pytest.mark.filterwarnings("ignore")  # Of importing other libraries.
@pytest.mark.parametrize("source", SOURCES)
def test_data_from_anywhere(source: str) -> None:
    make = SOURCES[source]
    rule = cep.EP(5, 3, 0.5, 0.1)
    nets = [cep.Network([4, 3, 2], seed=1) for _ in range(3)]
    cep.train_batch(nets[0], X, LABELS, rule)
    cep.train_batch(nets[1], make(X), make(LABELS), rule)
    cep.train_batch(nets[2], make(X), make(np.eye(2)[LABELS]), rule)
    assert fingerprint(nets[0]) == fingerprint(nets[1]) == fingerprint(nets[2])
    assert nets[0].predict(make(X), 4).tolist() == nets[1].predict(X, 4).tolist()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", SOURCES)
def test_parameters_from_anywhere(source: str) -> None:
    net = cep.Network([4, 3, 2], seed=1, dtype="float64")
    net.weights[0] = SOURCES[source](X[:3])
    net.biases[1] = SOURCES[source](X[0, :2])
    np.testing.assert_array_equal(net.weights[0], X[:3])
    np.testing.assert_array_equal(net.biases[1], X[0, :2])


class Broken:
    """An array that cannot be read, with a reason."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __dlpack__(self, **options: Any) -> Any:
        raise self.error

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@pytest.mark.parametrize(
    ("given", "error"), [(BufferError, ValueError), (RuntimeError, ValueError), (TypeError,) * 2]
)
def test_why_an_array_cannot_be_read(given: type[Exception], error: type[Exception]) -> None:
    net = cep.Network([4, 3, 2])
    with refused(net, error, "x cannot be read as an array: on another device"):
        net.free_phase(Broken(given("on another device")), 1)  # type: ignore[arg-type]
    with refused(net, error, "the value cannot be read as an array: on another device"):
        net.weights[0] = Broken(given("on another device"))


def memoryview_of(view: Any) -> Callable[[Any, float], None]:
    memory = memoryview(view)

    def write(place: Any, value: float) -> None:
        memory[place] = value

    return write


def numpy_of(view: Any) -> Callable[[Any, float], None]:
    return np.asarray(view).__setitem__


def dlpack_of(view: Any) -> Callable[[Any, float], None]:
    return np.from_dlpack(view).__setitem__


def torch_of(view: Any) -> Callable[[Any, float], None]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor: Callable[[Any, float], None] = torch.from_dlpack(view).__setitem__
    return tensor


WRITERS = {"NumPy": numpy_of, "memoryview": memoryview_of, "DLPack": dlpack_of, "torch": torch_of}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("dtype", CODES)
def test_the_next_phase_sees_what_was_written(writer: str, dtype: str) -> None:
    net = cep.Network([4, 3, 2], seed=1, dtype=dtype)
    tolerance = {"float32": 1e-6, "float64": 1e-13}[dtype]
    net.free_phase(X, 2)
    before = [state.copy() for state in net.states]
    WRITERS[writer](net.weights[0])((2, 1), 1.5)
    WRITERS[writer](net.biases[1])((1,), -0.75)
    assert net.weights[0][2, 1] == 1.5
    assert net.biases[1][1] == -0.75
    net.free_phase(X, 2)
    expected = NumpyModel.of(net).free_phase(X, 2)
    for state, wanted, old in zip(net.states[1:], expected[1:], before[1:], strict=True):
        assert np.abs(state - wanted).max() < tolerance
        assert np.abs(state - old).max() > 1e-3
    # Also states: one step from the written values, in the slow model.
    WRITERS[writer](net.states[1])((4, 2), 0.875)
    expected = NumpyModel.of(net).step([np.array(state) for state in net.states])
    net.free_phase(X, 1, reset=False)
    for state, wanted in zip(net.states, expected, strict=True):
        assert np.abs(state - wanted).max() < tolerance


def test_what_the_engine_writes_is_seen_outside() -> None:
    net = cep.Network([4, 3, 2], seed=1)
    views = [np.from_dlpack(weights) for weights in net.weights]
    memories = [memoryview(weights) for weights in net.weights]
    before = [view.copy() for view in views]
    cep.train_batch(net, X, LABELS, cep.EP(5, 3, 0.5, 0.5))
    for view, memory, weights, old in zip(views, memories, net.weights, before, strict=True):
        assert (view != old).any()
        assert view.tolist() == memory.tolist() == weights.tolist()


def test_dlpack_names_the_memory_of_the_engine() -> None:
    """For other libraries: device 1 is a CPU's memory."""
    net = cep.Network([4, 3, 2])
    net.free_phase(X, 1)
    for view in (*net.parameters(), *net.states):
        assert view.__dlpack_device__() == (1, 0)
        assert np.from_dlpack(view).ctypes.data == view.ctypes.data


# Views of every kind outlive their network; freed memory would be filled with other bytes.
OUTLIVING = """
import gc, sys
import numpy as np
import cep

def tensors(view):
    return [torch.from_dlpack(view)] if torch else []

torch = __import__("torch") if sys.argv[1] == "torch" else None
kept = []
for dtype in ("float32", "float64"):
    for sizes in ([4, 3, 2], [500, 400, 300]):
        net = cep.Network(sizes, dtype=dtype, seed=1, feedback="untied")
        net.free_phase(np.ones((7, sizes[0])), 2)
        gradient = cep.gradient(net, np.ones((2, sizes[0])), [0, 1], cep.BPTT(2))
        for view in (*net.parameters(), *net.states, *gradient.weights):
            values = view.tobytes()
            kept += [
                (each, values)
                for each in (view[1:], memoryview(view), np.from_dlpack(view), *tensors(view))
            ]
        # States of another batch size leave the old memory to their views.
        net.free_phase(np.ones((3, sizes[0])), 2)
        del net, view, gradient
    gc.collect()
    others = [cep.Network([500, 400, 300], seed=2) for _ in range(5)]
    for other in others:
        other.free_phase(np.zeros((7, 500)), 2)

def content(each):
    return each.tobytes() if hasattr(each, "tobytes") else each.numpy().tobytes()

for each, values in kept:
    assert values.endswith(content(each)), type(each)
for each, _ in kept:
    each[(0,) * len(each.shape)] = 0.5
while kept:
    each, _ = kept.pop()
    assert float(each[(0,) * len(each.shape)]) == 0.5
    del each
    gc.collect(0)
print("whole")
"""


@pytest.mark.parametrize("library", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
def test_views_outlive_their_network_under_a_debug_allocator(
    library: str, run_script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    monkeypatch.setenv("MALLOC_PERTURB_", "165")
    # The C library's thread caches would return memory unchanged.
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")
    assert run_script(OUTLIVING, library, timeout=300) == "whole\n"


def linear(*sizes: int, **options: Any) -> Any:
    """A stack of linear layers with an activation between them."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layers: list[Any] = []
    for below, above in pairwise(sizes):
        layers += [torch.nn.Linear(below, above, **options), torch.nn.Sigmoid()]
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_a_network_as_linear_layers(dtype: str, feedback: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    net = cep.Network([4, 6, 3, 2], dtype=dtype, feedback=feedback, seed=1)
    before = fingerprint(net)
    generator = torch.random.get_rng_state()
    module = net.to_torch()
    assert (torch.random.get_rng_state() == generator).all()
    assert [type(layer) for layer in module] == [torch.nn.Linear] * 3
    assert list(module.state_dict()) == [f"{k}.{n}" for k in range(3) for n in ("weight", "bias")]
    for layer, weights, biases in zip(module, net.weights, net.biases, strict=True):
        assert (layer.in_features, layer.out_features) == weights.shape[::-1]
        assert same([p.detach().numpy() for p in layer.parameters()], [weights, biases])
        assert all(p.requires_grad for p in layer.parameters())
    # A layer computes the engine's product: x Wᵀ + b.
    given = torch.from_numpy(X.astype(dtype))
    expected = X.astype(dtype) @ net.weights[0].T + net.biases[0]
    np.testing.assert_allclose(module[0](given).detach().numpy(), expected, rtol=1e-5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    assert fingerprint(net) == before


@pytest.mark.parametrize("dtype", CODES)
def test_linear_layers_as_a_network(dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    module = linear(4, 6, 3, 2, dtype=getattr(torch, dtype))
    kept = copy.deepcopy(module.state_dict())
    net = cep.from_torch(module, setting="real-time", dt=0.1, seed=5)
    assert (net.sizes, net.dtype.name) == ((4, 6, 3, 2), dtype)
    assert (net.setting, net.options["dt"], net.seed) == ("real-time", 0.1, 5)
    for k in range(3):
        assert same([net.weights[k]], [kept[f"{2 * k}.weight"].numpy()])
        assert same([net.biases[k]], [kept[f"{2 * k}.bias"].numpy()])
    net.weights[0][...] = 7
    assert all((module.state_dict()[name] == kept[name]).all() for name in kept)


def test_there_and_back() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    net = cep.Network([4, 6, 3, 2], seed=1)
    cep.train_batch(net, X, LABELS, cep.EP(5, 3, 0.5, 0.3))
    module = net.to_torch()
    assert same(parameters(cep.from_torch(module)), parameters(net))
    del module
    gc.collect()


def test_the_dtype_may_be_chosen() -> None:
    module = linear(4, 3, 2)
    net = cep.from_torch(module, dtype="float64")
    assert net.dtype == np.float64
    assert (net.weights[0] == module[0].weight.detach().numpy()).all()


@pytest.mark.parametrize("angle", [0, 60, 180])
def test_feedback_weights_have_the_angle_asked_for(angle: float) -> None:
    module = linear(4, 200, 200, 100)
    net = cep.from_torch(module, feedback="untied", feedback_angle=angle, seed=0)
    for weights, feedback in zip(net.weights[1:], net.feedback_weights[1:], strict=True):
        assert feedback is not None
        np.testing.assert_array_equal(np.abs(feedback), np.abs(weights.T))
        flipped = (feedback == -weights.T).mean()
        assert flipped == pytest.approx((1 - np.cos(np.radians(angle))) / 2, abs=0.02)


def refusals() -> dict[str, tuple[Any, type[Exception], str]]:
    import torch

    nn = torch.nn
    mixed = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2, dtype=torch.float64))
    return {
        "no module": ([1, 2], TypeError, "module must be a torch.nn.Module, got list"),
        "no layer": (nn.Sequential(nn.Tanh()), ValueError, "two torch.nn.Linear.*it has 0"),
        "one layer": (nn.Linear(4, 2), ValueError, "it has 1"),
        "no bias": (linear(4, 3, 2, bias=False), ValueError, "layer '0' has no biases"),
        "sizes": (
            nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(5, 2)),
            ValueError,
            "layer '2' takes 5 units, but gets 3 from below",
        ),
        "float16": (linear(4, 3, 2).half(), TypeError, "all be float32, or all float64.*float16"),
        "bfloat16": (linear(4, 3, 2).bfloat16(), TypeError, "'0.weight': 'bfloat16'"),
        "mixed": (mixed, TypeError, "'1.bias': 'float64'"),
    }


@pytest.mark.parametrize(
    "kind",
    ["no module", "no layer", "one layer", "no bias", "sizes", "float16", "bfloat16", "mixed"],
)
def test_invalid_modules(kind: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    module, error, message = refusals()[kind]
    with pytest.raises(error, match=message) as caught:
        cep.from_torch(module)
    assert caught.type is error


def test_tensors_that_need_gradients_are_to_be_detached() -> None:
    module = linear(4, 3, 2)
    net = cep.Network([4, 3, 2])
    with refused(net, ValueError, r"the value cannot be read as an array: .*detach\(\)"):
        net.weights[0] = module[0].weight
    net.weights[0] = module[0].weight.detach()
    assert (net.weights[0] == module[0].weight.detach().numpy()).all()


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    for call in (cep.Network([4, 3, 2]).to_torch, lambda: cep.from_torch(None)):  # type: ignore[arg-type]
        with pytest.raises(ImportError, match=r"needs torch: .*\[exchange\]"):
            call()


def test_importing_cep_imports_no_torch_and_no_safetensors(run_script: Callable[..., str]) -> None:
    program = "import sys, cep; print({'torch', 'jax', 'safetensors'} & set(sys.modules))"
    assert run_script(program) == "set()\n"
