"""Convolution and pooling."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from convolution_model import Model

import cep
from cep import Conv2d, Input
from cep.network.layers import from_word

NETWORKS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "no pooling": ([Input(1, 8, 8), Conv2d(4, 3), Conv2d(3, 3), 10], {}),
    "max": ([Input(1, 8, 8), Conv2d(4, 3, pool="max"), Conv2d(5, 2, pool="max"), 10], {}),
    "max, odd": ([Input(1, 8, 8), Conv2d(4, 2, pool="max"), Conv2d(5, 1, pool="max"), 10], {}),
    "average": (
        [Input(1, 8, 8), Conv2d(4, 3, pool="average"), Conv2d(3, 2, pool="average"), 10],
        {},
    ),
    "stride": ([Input(1, 8, 8), Conv2d(4, 3, stride=2), Conv2d(3, 2, stride=(1, 2)), 10], {}),
    "padding": (
        [Input(1, 8, 8), Conv2d(4, 3, padding=1, pool="max"), Conv2d(6, 3, 1, (1, 2), "max"), 10],
        {},
    ),
    "pairs": (
        [Input(2, 4, 8), Conv2d(3, (2, 3), pool="max"), Conv2d(17, (1, 2), (1, 2), (1, 0)), 10],
        {},
    ),
    "hidden dense": ([Input(1, 8, 8), Conv2d(4, 3, pool="max"), Conv2d(3, 2), 7, 10], {}),
    "cross-entropy": (
        [Input(1, 8, 8), Conv2d(4, 3, pool="max"), Conv2d(3, 2, pool="average"), 10],
        {"loss": "cross_entropy"},
    ),
    "readout": (
        [Input(1, 8, 8), Conv2d(4, 3, pool="max"), Conv2d(3, 2), cep.Readout(10)],
        {},
    ),
    "skips": (
        [Input(1, 8, 8), Conv2d(4, 3), Conv2d(4, 3, padding=1), Conv2d(5, 3, padding=1), 10],
        {"connections": [(1, 3), (0, 2, Conv2d(4, 3, padding=3, pool="max")), (2, 4)]},
    ),
}


def _network(name: str, **options: Any) -> cep.Network:
    layers, own = NETWORKS[name]
    return cep.Network(layers, **{"seed": 3, "dtype": "float64"} | own | options)


def _data(net: cep.Network, count: int = 6) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    return random.random((count, *net.shapes[0])), random.integers(0, 10, count)


SETTINGS: dict[str, dict[str, Any]] = {
    "prototypical": {"setting": "prototypical"},
    "real-time": {"setting": "real-time", "clamp": False},
}
FEEDBACKS: dict[str, dict[str, Any]] = {
    "tied": {"feedback": "tied"},
    "untied": {"feedback": "untied", "feedback_angle": 60.0},
}


@pytest.mark.parametrize("feedback", FEEDBACKS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_bptt_equals_central_differences(name: str, setting: str, feedback: str) -> None:
    options = SETTINGS[setting] | FEEDBACKS[feedback]
    net = _network(name, activation="sigmoid", **options)
    x, y = _data(net)
    estimate = cep.gradient(net, x, y, cep.BPTT(12))
    gradients = [*estimate.weights, *estimate.biases]
    gradients += [v for v in estimate.feedback_weights if v is not None]
    parameters = list(net.parameters())
    assert [g.shape for g in gradients] == [p.shape for p in parameters]
    random = np.random.default_rng(0)
    # One direction for each tensor: a fault in one cannot hide in the sum of all. The step is so
    # small that the largest pixel of each window stays the same.
    for gradient, parameter in zip(gradients, parameters, strict=True):
        direction = random.standard_normal(parameter.shape)
        losses = []
        before = parameter.copy()
        for step in (1e-7, -1e-7):
            parameter[...] = before + step * direction
            losses.append(cep.evaluate(net, (x, y), 12).loss)
        parameter[...] = before
        expected = (losses[0] - losses[1]) / 2e-7
        assert abs((gradient * direction).sum() - expected) < 1e-6 * max(1, abs(expected))


@pytest.mark.parametrize("relaxation", ["synchronous", "alternating"])
@pytest.mark.parametrize("feedback", FEEDBACKS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    "name", [name for name in NETWORKS if name not in ("readout", "cross-entropy")]
)
def test_states_follow_the_equations(
    name: str, setting: str, feedback: str, relaxation: str
) -> None:
    options = SETTINGS[setting] | FEEDBACKS[feedback]
    net = _network(name, activation="sigmoid", relaxation=relaxation, **options)
    x, _ = _data(net)
    model = Model(net)
    for steps in (1, 2, 5):
        net.free_phase(x, steps)
        for mine, expected in zip(net.states, model.relax(x, steps), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["max", "average", "stride", "padding"])
def test_ep_tends_to_recurrent_backpropagation(name: str) -> None:
    net = _network(name, activation="sigmoid", nudging="inside")
    x, y = _data(net)
    exact = cep.gradient(net, x, y, cep.RBP(300))
    errors = []
    for beta in (0.02, 0.01):
        estimate = cep.gradient(net, x, y, cep.EP(300, 300, beta, beta_sign="symmetric"))
        errors.append(estimate.relative_error(exact))
    assert errors[1] < 2e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("feedback", FEEDBACKS)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rule", ["EP", "C-EP"])
def test_results_do_not_depend_on_the_number_of_threads(
    name: str, rule: str, feedback: str
) -> None:
    make = {"EP": cep.EP, "C-EP": cep.CEP}[rule]
    threads = cep.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            cep.set_num_threads(count)
            net = _network(name, dtype="float32", **FEEDBACKS[feedback])
            x, y = _data(net, 24)
            rates = [0.1] * len(net.edges)
            for _ in range(2):
                cep.train_batch(net, x, y, make(12, 4, 0.5, rates))
            found.append(np.concatenate([array.ravel() for array in net.parameters()]))
    finally:
        cep.set_num_threads(threads)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize("name", NETWORKS)
def test_samples_do_not_depend_on_each_other(name: str) -> None:
    # The first sample comes to rest long before the others and is moved in memory.
    net = _network(name, activation="hard_sigmoid", tolerance=1e-6, relaxation="alternating")
    x, _ = _data(net, 7)
    x[0] = 0
    net.free_phase(x, 60)
    together = [np.array(state) for state in net.states]
    for k in range(7):
        net.free_phase(x[k : k + 1], 60)
        for state, alone in zip(together, net.states, strict=True):
            np.testing.assert_allclose(state[k], alone[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_theorem_holds(name: str) -> None:
    net = _network(name, activation="sigmoid", nudging="inside")
    x, y = _data(net)
    report = cep.gdu_check(net, x, y, 300, 8, 1e-4)
    errors = [curves.relative_error for curves in report.weights]
    assert max(errors) < 1e-2
    assert report.weights[0].updates.shape == (8, *net.weights[0].shape)
    states = report.states[1]
    assert states is not None
    assert states.updates.shape == (8, *net.shapes[1])


@pytest.mark.parametrize("feedback", FEEDBACKS)
def test_views_have_the_shapes_of_feature_maps(feedback: str) -> None:
    net = _network("max", **FEEDBACKS[feedback])
    x, _ = _data(net)
    net.free_phase(x, 3)
    assert [state.shape for state in net.states] == [
        (6, 1, 8, 8),
        (6, 4, 3, 3),
        (6, 5, 1, 1),
        (6, 10),
    ]
    assert [w.shape for w in net.weights] == [(4, 1, 3, 3), (5, 4, 2, 2), (10, 5)]
    assert [b.shape for b in net.biases] == [(4,), (5,), (10,)]
    shapes = [None if v is None else v.shape for v in net.feedback_weights]
    assert shapes == ([None] * 3 if feedback == "tied" else [None, (5, 4, 2, 2), (5, 10)])
    assert net.sizes == (64, 36, 5, 10)
    np.testing.assert_array_equal(net.states[0], x)
    # The next phase uses weights that were written.
    for array in net.parameters():
        array[...] = 0
    net.biases[0][...] = [0.1, 0.2, 0.3, 0.4]
    net.free_phase(x, 3)
    expected = 1 / (1 + np.exp(-4 * (net.biases[0] - 0.5)))
    np.testing.assert_allclose(
        net.states[1], np.broadcast_to(expected[:, None, None], (6, 4, 3, 3))
    )


def test_images_may_be_flat() -> None:
    net = _network("pairs")
    x, y = _data(net)
    for data in (x, x.reshape(len(x), -1)):
        assert net.predict(data, 5).shape == y.shape
    np.testing.assert_array_equal(net.predict(x, 5), net.predict(x.reshape(len(x), -1), 5))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("feedback", FEEDBACKS)
def test_networks_go_through_files_pickles_and_copies(
    name: str, feedback: str, tmp_path: Path
) -> None:
    net = _network(name, **FEEDBACKS[feedback])
    x, y = _data(net)
    cep.train_batch(net, x, y, cep.EP(10, 4, 0.5, 0.05, optimizer=cep.SGD(momentum=0.9)))
    net.save(tmp_path / "net.safetensors")
    copies = [
        cep.load(tmp_path / "net.safetensors"),
        pickle.loads(pickle.dumps(net)),
        copy.deepcopy(net),
        net.copy(),
    ]
    for each in copies:
        assert each.options == net.options
        assert each.layers == net.layers
        pairs = zip(each.parameters(), net.parameters(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
        np.testing.assert_array_equal(each.predict(x, 10), net.predict(x, 10))
    for mine, theirs in zip(copies[1].states, net.states, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_feedback_angles() -> None:
    layers: list[Any] = [Input(1, 12, 12), Conv2d(40, 3), Conv2d(50, 3), 10]
    net = cep.Network(layers, feedback="untied", feedback_angle=120, seed=0)
    angle = net.feedback_angles()[1]
    v = net.feedback_weights[1]
    assert angle is not None
    assert v is not None
    w = net.weights[1]
    cosine = float((w * v).sum() / np.sqrt((w * w).sum() * (v * v).sum()))
    assert angle == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-3)
    # The mean of 18,000 signs.
    assert angle == pytest.approx(120, abs=3)
    np.testing.assert_array_equal(np.abs(v), np.abs(w))


@pytest.mark.parametrize("name", ["max", "average", "skips"])
def test_the_energy_is_that_of_the_equations(name: str) -> None:
    net = _network(name, setting="real-time", activation="sigmoid")
    x, _ = _data(net)
    net.free_phase(x, 4)
    model = Model(net)
    states = [np.array(state) for state in net.states]
    rho = [1 / (1 + np.exp(-state)) for state in states]
    expected = sum(0.5 * (state.reshape(len(x), -1) ** 2).sum(axis=1) for state in states[1:])
    for k, (below, above) in enumerate(net.edges):
        product = rho[above] * model.forward[k].up(rho[below]).reshape(rho[above].shape)
        expected = expected - product.reshape(len(x), -1).sum(axis=1)
    np.testing.assert_allclose(net.energy(), expected, rtol=1e-12)


def test_phases_are_recorded_and_seen() -> None:
    net = _network("max")
    x, y = _data(net)
    with cep.trace(net) as trace:
        cep.train_batch(net, x, y, cep.CEP(6, 3, 0.5, 0.01))
    phase = trace.phases[0]
    assert phase.states[1].shape == (7, 6, 4, 3, 3)
    np.testing.assert_array_equal(phase.states[1][0], np.zeros((6, 4, 3, 3)))
    assert phase.layer_residuals(1).shape == (6,)
    nudged = trace.nudged
    weights = nudged.weights
    assert weights is not None
    assert weights[0].shape == (4, 4, 1, 3, 3)
    expected = np.linalg.norm((weights[0] - weights[0][:1]).reshape(4, -1), axis=1)
    np.testing.assert_allclose(nudged.weight_movement(0), expected)
    assert "4×3×3" in repr(net)
    assert "4×3×3" in net._repr_html_()
    suggestion = cep.suggest(net, x, y)
    assert suggestion.free_steps > 0


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (cep.EP(30, 8, 0.5, [0.2, 0.1]), {}),
        (cep.CEP(30, 8, 0.5, [0.03, 0.015]), {}),
        (cep.EP(30, 8, 0.5, [0.1, 0.05], beta_sign="symmetric"), {"feedback": "untied"}),
        (cep.CEP(30, 8, 0.5, [0.03, 0.015], beta_sign="random"), {"feedback": "untied"}),
        (cep.EP(30, 8, 0.5, [0.2, 0.1], feedback_update="shared"), {"feedback": "untied"}),
        (cep.BPTT(30, learning_rates=[0.2, 0.1]), {}),
        (cep.RBP(60, learning_rates=[0.2, 0.1], tolerance=1e-2), {}),
    ],
    ids=["EP", "C-EP", "VF", "C-VF", "shared", "BPTT", "RBP"],
)
def test_digits_are_learned(rule: cep.LearningRule, options: dict[str, Any], digits: Any) -> None:
    layers = [Input(1, 8, 8), Conv2d(16, 3, padding=1, pool="max"), 10]
    net = cep.Network(layers, seed=0, **options)
    x, y = digits[0][:600], digits[1][:600]
    cep.fit(net, (x, y), rule, epochs=10, batch_size=20, seed=0)
    # 0.9 is chance. These rates suit C-EP and are small for the others: 0.07 to 0.25 here.
    assert cep.evaluate(net, (x, y), 30).error < 0.5


def test_pictures_of_kernels_and_feature_maps() -> None:
    pytest.importorskip("matplotlib")
    net = _network("pairs")
    x, y = _data(net)
    figure = cep.plot_weights(net, [0, 2])
    drawn = [np.array(ax.images[0].get_array()) for ax in figure.axes if ax.images]
    np.testing.assert_allclose(drawn[1], net.weights[0][2].mean(axis=0))
    with pytest.raises(ValueError, match=r"shape is \(3, 3\); the kernels are \(2, 3\)"):
        cep.plot_weights(net, shape=(3, 3))
    with cep.trace(net) as trace:
        cep.train_batch(net, x, y, cep.CEP(6, 3, 0.5, 0.01))
    assert len(cep.plot_relaxation(trace).axes) == 2 * 3 + 1
    flat = cep.Network([Input(1, 4, 6), 5, 3], seed=0)
    image = cep.plot_weights(flat, 1).axes[0].images[0]
    assert np.shape(image.get_array()) == (4, 6)


def test_hidden_layers_are_words_in_configurations_and_sweeps(tmp_path: Path) -> None:
    hidden: list[Any] = [Conv2d(4, 3, pool="max"), 8]
    configuration = cep.Configuration(hidden=hidden, learning_rates=[0.01] * 3, epochs=1)
    assert configuration.hidden == ("conv2d:4:3x3:pool=max", 8)
    assert configuration.layers == (Input(1, 8, 8), *hidden[:1], cep.Dense(8), cep.Dense(10))
    assert cep.Configuration.from_json(configuration.to_json()) == configuration
    swept = {"hidden": [[8], [Conv2d(2, 3, pool="max")], ["conv2d:2:3"]]}
    result = cep.sweep(
        cep.Configuration(hidden=[8], learning_rates=0.01, epochs=1),
        swept,
        tmp_path / "sweep",
        jobs=1,
        progress=False,
    )
    names = [outcome.name for outcome in result]
    assert names == ["hidden=8", "hidden=conv2d:2:3x3:pool=max", "hidden=conv2d:2:3"]


def test_a_convolutional_run_is_resumed_to_the_last_bit(tmp_path: Path) -> None:
    configuration = cep.Configuration(
        hidden=["conv2d:3:3:pool=max"], learning_rates=0.02, epochs=2, flip=True, crop=1, seed=3
    )
    whole = cep.run(configuration, progress=False)

    def stop(history: cep.History) -> None:
        if len(history) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cep.run(configuration, tmp_path / "run", progress=False, on_epoch_end=stop)
    resumed = cep.run(configuration, tmp_path / "run", progress=False, resume=True)
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.history.train_error == resumed.history.train_error


def test_augmentation_is_drawn_anew_in_every_epoch(digits: Any) -> None:
    layers = [Input(1, 8, 8), Conv2d(3, 3, pool="max"), 10]
    x, y = digits[0][:60], digits[1][:60]
    seen: list[Any] = []

    def augment(images: Any, random: np.random.Generator) -> Any:
        assert images.shape == (60, 1, 8, 8)
        seen.append(cep.datasets.augment(images, flip=True, crop=2, seed=random))
        return seen[-1]

    def train(seed: int) -> cep.Network:
        net = cep.Network(layers, seed=0)
        rule = cep.EP(5, 2, 0.5, 0.01)
        cep.fit(net, (x, y), rule, 2, 20, seed=seed, progress=False, augment=augment)
        return net

    first, second = train(1), train(1)
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
    np.testing.assert_array_equal(first.weights[0], second.weights[0])
    with pytest.raises(ValueError, match="augment must return images of shape"):
        cep.fit(
            cep.Network(layers, seed=0), (x, y), cep.EP(5, 2, 0.5, 0.01), 1, progress=False,
            augment=lambda images, random: images[:3],
        )  # fmt: skip


def test_shared_updates_keep_weights_alike() -> None:
    layers = [Input(1, 8, 8), Conv2d(4, 3), Conv2d(5, 2), 10]
    for make in (cep.EP, cep.CEP):
        net = cep.Network(layers, feedback="untied", dtype="float64", seed=0)
        tied = cep.Network(layers, dtype="float64", seed=0)
        x, y = _data(net)
        for each in (net, tied):
            cep.train_batch(each, x, y, make(20, 5, 0.5, 0.1, feedback_update="shared"))
        for k in (1, 2):
            v, w = net.feedback_weights[k], net.weights[k]
            assert v is not None
            np.testing.assert_allclose(v, w if v.ndim == 4 else w.T, rtol=0, atol=1e-12)
            # They equal those of a network with tied feedback.
            np.testing.assert_allclose(w, tied.weights[k], rtol=0, atol=1e-12)


def test_torch_layers_are_exchanged() -> None:
    torch: Any = pytest.importorskip("torch")
    layers = [Input(1, 8, 8), Conv2d(4, 3, 2, 1), Conv2d(5, (2, 1), pool="max"), 10]
    net = cep.Network(layers, dtype="float64", seed=0)
    module = net.to_torch()
    x = np.random.default_rng(0).random((3, 1, 8, 8))
    expected: Any = x
    model = Model(cep.Network(layers, dtype="float64", seed=0, activation="tanh"))
    for each in model.forward:
        expected = each.up(expected)
    found = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    back = cep.from_torch(module, input_shape=(1, 8, 8))
    assert back.layers == net.layers
    for mine, theirs in zip(back.parameters(), net.parameters(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


IMAGE = Input(1, 8, 8)
WRONG: list[tuple[Callable[[], object], type[Exception], list[str]]] = [
    (lambda: cep.Network([IMAGE, Conv2d(4, 9), 10]), ValueError, ["sizes[1]", "9 × 9", "8 × 8"]),
    (
        lambda: cep.Network([IMAGE, Conv2d(4, (3, 11), padding=1), 10]),
        ValueError,
        ["3 × 11", "10 × 10"],
    ),
    (lambda: Conv2d(4, 3, stride=0), ValueError, ["stride", "1 or more", "0"]),
    (lambda: Conv2d(4, 3, padding=-1), ValueError, ["padding", "0 or more", "-1"]),
    (lambda: Conv2d(0, 3), ValueError, ["channels", "1 or more", "0"]),
    (lambda: Conv2d(4, (3, 3, 3)), ValueError, ["kernel", "pair"]),
    (lambda: Conv2d(4, 2.5), TypeError, ["kernel", "integer", "2.5"]),  # type: ignore[arg-type]
    (lambda: Conv2d(4, 3, pool="min"), ValueError, ["pool", "max", "average", "min"]),
    (lambda: cep.Network([IMAGE, Conv2d(4, 8, pool="max"), 10]), ValueError, ["pooling", "1 × 1"]),
    (lambda: cep.Network([IMAGE, 30, Conv2d(4, 3), 10]), ValueError, ["sizes[2]", "30 units"]),
    (lambda: cep.Network([64, Conv2d(4, 3), 10]), ValueError, ["sizes[1]", "64 units"]),
    (
        lambda: cep.Network([IMAGE, cep.Readout(10), Conv2d(4, 3)]),
        ValueError,
        ["sizes[1]", "last"],
    ),
    (lambda: Input(1, 8), TypeError, ["Input", "2"]),
    (lambda: Input(1, 0, 8), ValueError, ["1 or more", "(1, 0, 8)"]),
    (
        lambda: cep.Network([Input(2**20, 2**20, 2**20), Conv2d(4, 3), 10]),
        ValueError,
        ["1048576", "2147483647"],
    ),
    (
        lambda: cep.Network([IMAGE, Conv2d(2**31 - 1, 3, padding=2**20), 10]),
        ValueError,
        ["2147483647"],
    ),
    (
        lambda: cep.Network([Input(1, 2**63 - 1, 1), Conv2d(4, 1, padding=1), 10]),
        ValueError,
        ["9223372036854775807", "2147483647"],
    ),
    (
        lambda: cep.Network([IMAGE, Conv2d(4, 3, 2**30, 2**31 - 1), 10]),
        ValueError,
        ["2147483647"],
    ),
    (
        lambda: _network("max").free_phase(np.zeros((3, 3, 8, 8)), 2),
        ValueError,
        ["x", "1 × 8 × 8", "64", "(3, 3, 8, 8)"],
    ),
    (
        lambda: _network("max").free_phase(np.zeros((3, 1, 8, 9)), 2),
        ValueError,
        ["1 × 8 × 8", "(3, 1, 8, 9)"],
    ),
    (lambda: _network("max").predict(np.zeros((3, 65)), 2), ValueError, ["64", "(3, 65)"]),
    (
        lambda: cep.Network([IMAGE, Conv2d(4, 3), 9, 10], connections=[(0, 2, "conv2d:9:3")]),
        ValueError,
        ["convolution makes", "shape"],
    ),
    (
        lambda: cep.Network([IMAGE, Conv2d(4, 3), 9, 10], connections=[(0, 2, "wavelet:3")]),
        ValueError,
        ["connections[0]", "dense", "conv2d", "wavelet"],
    ),
    (lambda: from_word("conv2d:4"), ValueError, ["conv2d:32:5", "'conv2d:4'"]),
    (lambda: from_word("conv2d:4:3:pol=max"), ValueError, ["pool", "pol=max"]),
    (
        lambda: from_word("conv2d:4:threexthree"),
        ValueError,
        ["whole number", "three"],
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_bad_input_gets_one_sentence(
    call: Callable[[], object], error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as raised:
        call()
    message = str(raised.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
