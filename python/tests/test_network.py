"""A new network: options, initial parameters, representation."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from snapshot import feedback_weights, parameters, same

import cep

ACTIVATIONS = ("shifted_sigmoid", "hard_sigmoid", "tanh")
SIZES = (7, 300, 200, 5)


def test_defaults() -> None:
    net = cep.Network([4, 3, 2])
    assert net.setting == "prototypical"
    assert net.activation == "shifted_sigmoid"
    assert net.feedback == "tied"
    assert net.dtype == np.dtype("float32")


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attributes_are_the_arguments(
    setting: str, activation: str, feedback: str, dtype: str
) -> None:
    net = cep.Network(
        [4, 3, 2],
        setting=setting,
        activation=activation,
        feedback=feedback,
        dtype=dtype,
        seed=5,
    )
    assert net.sizes == (4, 3, 2)
    assert (net.setting, net.activation, net.feedback) == (setting, activation, feedback)
    assert net.dtype == np.dtype(dtype)
    assert net.seed == 5
    assert all(array.dtype == dtype for array in parameters(net))


@pytest.mark.parametrize(
    "name", ["sizes", "setting", "activation", "feedback", "dtype", "seed", "weights", "states"]
)
def test_attributes_cannot_be_replaced(name: str) -> None:
    net = cep.Network([4, 3, 2])
    with pytest.raises(AttributeError):
        setattr(net, name, None)


def test_arguments_after_the_sizes_are_named() -> None:
    with pytest.raises(TypeError):
        cep.Network([4, 3, 2], "prototypical")  # type: ignore[misc]


@pytest.mark.parametrize(
    "sizes",
    [
        [4, 3, 2],
        (4, 3, 2),
        np.array([4, 3, 2]),
        np.array([4, 3, 2], dtype=np.uint8),
        iter([4, 3, 2]),
    ],
    ids=["list", "tuple", "int64", "uint8", "iterator"],
)
def test_sizes_are_any_integers(sizes: Any) -> None:
    assert cep.Network(sizes).sizes == (4, 3, 2)


@pytest.mark.parametrize(
    "dtype",
    [np.float64, np.dtype("float64"), "float64", "f8", float],
    ids=["type", "dtype", "name", "code", "Python"],
)
def test_dtype_is_anything_that_numpy_calls_one(dtype: Any) -> None:
    net = cep.Network([4, 3, 2], dtype=dtype)
    assert net.dtype == np.float64
    assert net.weights[0].dtype == np.float64


@pytest.mark.parametrize("sizes", [(4, 3, 2), (1, 1, 1), (6, 5, 4, 3, 2)])
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_shapes_of_the_parameters(sizes: tuple[int, ...], feedback: str) -> None:
    net = cep.Network(sizes, feedback=feedback)
    joined = list(pairwise(sizes))
    assert len(net.weights) == len(net.biases) == len(joined)
    assert [w.shape for w in net.weights] == [(above, below) for below, above in joined]
    assert [b.shape for b in net.biases] == [(above,) for _, above in joined]
    if feedback == "untied":
        assert [v.shape for v in feedback_weights(net)] == joined[1:]


@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_same_seed_same_parameters(feedback: str) -> None:
    options = {"feedback": feedback, "feedback_angle": 60}
    first, second = (cep.Network(SIZES, seed=3, **options) for _ in range(2))
    other = cep.Network(SIZES, seed=4, **options)
    assert same(parameters(first), parameters(second))
    for mine, others in zip(parameters(first), parameters(other), strict=True):
        assert (
            mine != others
        ).mean() > 0.4  # Untied feedback at 60°: a quarter of the signs is flipped.


@pytest.mark.parametrize("seed", [0, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_seeds_are_64_bits_without_sign(seed: int) -> None:
    assert cep.Network([4, 3, 2], seed=seed).seed == seed


def test_seed_uses_all_its_bits() -> None:
    drawn = {cep.Network([4, 3, 2], seed=2**bit).weights[0].tobytes() for bit in range(63)}
    assert len(drawn) == 63


def test_parameters_are_the_same_in_both_dtypes_up_to_rounding() -> None:
    single, double = (cep.Network(SIZES, seed=3, dtype=dtype) for dtype in ("float32", "float64"))
    for rounded, exact in zip(parameters(single), parameters(double), strict=True):
        np.testing.assert_array_equal(rounded, exact.astype(np.float32))
    # Drawn with the precision of float64, not converted from float32.
    assert any((exact != exact.astype(np.float32)).any() for exact in parameters(double))


@pytest.mark.parametrize("name", ["weights", "biases"])
@pytest.mark.parametrize("connection", range(len(SIZES) - 1))
def test_parameters_are_uniform_within_one_by_root_of_fan_in(name: str, connection: int) -> None:
    values = np.concatenate(
        [
            getattr(cep.Network(SIZES, dtype="float64", seed=seed), name)[connection].ravel()
            for seed in range(40)
        ]
    )
    scaled = np.sort(values * np.sqrt(SIZES[connection]))
    assert scaled[0] >= -1
    assert scaled[-1] <= 1
    # Kolmogorov's distance to the distribution function of U(−1, 1), at level 1e-6: 2.7 / √n.
    steps = np.arange(len(scaled) + 1) / len(scaled)
    uniform = (scaled + 1) / 2
    distance = max((uniform - steps[:-1]).max(), (steps[1:] - uniform).max())
    assert distance < 2.7 / np.sqrt(len(scaled))


def test_without_a_seed_one_is_drawn_and_reported() -> None:
    first, second = cep.Network([4, 3, 2]), cep.Network([4, 3, 2], seed=None)
    assert isinstance(first.seed, int)
    assert first.seed != second.seed
    assert not same(parameters(first), parameters(second))
    assert same(parameters(first), parameters(cep.Network([4, 3, 2], seed=first.seed)))


@pytest.mark.parametrize("angle", [0, 45, 90, 180])
def test_feedback_angle_flips_signs_of_the_transposed_weights(angle: float) -> None:
    sizes = (4, 300, 300, 300)
    net = cep.Network(sizes, feedback="untied", feedback_angle=angle, dtype="float64", seed=1)
    for forward, feedback in zip(net.weights[1:], feedback_weights(net), strict=True):
        np.testing.assert_array_equal(np.abs(feedback), np.abs(forward.T))
        probability = (1 - np.cos(np.radians(angle))) / 2
        flipped = (feedback == -forward.T).mean()
        deviation = np.sqrt(probability * (1 - probability) / forward.size)
        assert abs(flipped - probability) <= 5 * deviation + 1e-12


def test_representation_says_what_the_network_is() -> None:
    net = cep.Network([784, 512, 10], activation="tanh", dtype="float64", seed=12)
    for words in ("cep.Network", "784-512-10", "prototypical", "tanh", "'tied'", "float64", "12"):
        assert words in repr(net)
    net = cep.Network(
        [4, 3, 2], setting="real-time", dt=0.08, clamp=False, feedback="untied", feedback_angle=45
    )
    for words in ("real-time", "0.08", "clamp=False", "'untied'", "45"):
        assert words in repr(net)


def test_documentation_names_only_attributes_that_exist() -> None:
    section = (cep.Network.__doc__ or "").split("Attributes\n")[1].splitlines()[1]
    names = section.split(":")[0].replace(",", " ").split()
    assert {"weights", "biases", "states"} <= set(names)
    net = cep.Network([4, 3, 2], feedback="untied")
    net.free_phase(np.zeros((1, 4)), 1)
    for name in names:
        assert getattr(net, name) is not None
