"""What estimators compute: initial weights, learning rates, updates, predictions."""

import math
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel
from sklearn.neural_network import MLPClassifier
from small_classifiers import (
    classifier,
    fitted,
    ignore_convergence,
    parameters_of,
    regressor,
    samples,
    targets,
    untrained,
)
from snapshot import same

import cep
from cep.sklearn import EPClassifier, EPRegressor


def model_of(estimator: EPClassifier | EPRegressor) -> NumpyModel:
    """The equations, with the estimator's parameters as its documentation describes them."""
    return NumpyModel(
        weights=[coef.T.astype(float) for coef in estimator.coefs_],
        biases=[intercept.astype(float) for intercept in estimator.intercepts_],
        feedback=[coef.astype(float) for coef in estimator.feedback_coefs_] or None,
        setting=estimator.setting,
        activation=estimator.activation,
        dt=estimator.dt,
        relaxation=estimator.relaxation,
    )


# The equations


@pytest.mark.parametrize("rule", [cep.CEP, cep.EP])
@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize(
    ("setting", "relaxation"),
    [
        ("prototypical", "synchronous"),
        ("prototypical", "alternating"),
        ("real-time", "synchronous"),
    ],
)
@ignore_convergence
def test_an_epoch_in_order_follows_the_equations(
    rule: Any, feedback: str, setting: str, relaxation: str
) -> None:
    """50 samples in batches of 20, with the initial weights and the documented learning rates.

    The model has one rate for the weights and the biases of a connection. If the inputs are divided
    by √m and the first weights multiplied by it, the network is equivalent, with one rate for both.
    This does not hold in the real-time setting, in which the first connection has the rate 0.
    """
    X, y = samples()
    first, root = (0.5, math.sqrt(np.mean(X**2))) if setting == "prototypical" else (0.0, 1.0)
    options = {
        "rule": "c-ep" if rule is cep.CEP else "ep",
        "optimizer": "sgd",
        "feedback": feedback,
        "setting": setting,
        "relaxation": relaxation,
        "dtype": "float64",
        "hidden_layer_sizes": (8, 5),
        "beta_sign": "fixed",
        "free_steps": 12,
        "nudged_steps": 6,
    }
    model = model_of(untrained(X, y, **options))
    model.weights[0] *= root
    losses = [
        len(X[rows])
        * model.train_batch(
            X[rows] / root, y[rows], rule(12, 6, 0.5, [first / 7, 0.3 / 9, 0.2 / 6])
        )[0]
        for rows in (slice(0, 20), slice(20, 40), slice(40, 50))
    ]
    model.weights[0] /= root
    trained = fitted(
        X, y, shuffle=False, max_iter=1, learning_rate_init=(first, 0.3, 0.2), **options
    )
    assert trained.loss_curve_ == pytest.approx([sum(losses) / 50], rel=1e-10)
    expected = [*(weights.T for weights in model.weights), *model.biases, *(model.feedback or [])]
    for mine, theirs in zip(parameters_of(trained), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10)


@ignore_convergence
@pytest.mark.parametrize(
    ("optimizer", "rule", "default"),
    [
        *(("sgd", rule, rate) for rule, rate in (("c-ep", 0.5), ("ep", 2.0), ("bptt", 2.0))),
        (cep.SGD(momentum=0.75), "ep", 0.5),
        *(("adam", rule, rate) for rule, rate in (("c-ep", 0.0025), ("ep", 0.05), ("bptt", 0.05))),
        (cep.Adam(beta1=0.5), "ep", 0.05),
        (None, "ep", 0.05),  # Adam.
    ],
)
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_learning_rates_are_those_of_the_notes(
    optimizer: Any, rule: str, default: float, setting: str
) -> None:
    X, y = samples()
    m = np.mean(X**2) if setting == "prototypical" else 0.25
    if optimizer in ("adam", None) or isinstance(optimizer, cep.Adam):
        m = math.sqrt(m)
    options: Any = {"rule": rule, "optimizer": optimizer, "setting": setting}
    trained = fitted(X, y, max_iter=1, hidden_layer_sizes=(8, 5), **options)
    rates = [default / 7, default / 9, default / 6]
    assert trained.bias_learning_rates_ == pytest.approx(rates, rel=1e-12)
    assert trained.learning_rates_ == pytest.approx([rates[0] / m, *rates[1:]], rel=1e-12)


@ignore_convergence
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_initial_weights_are_those_of_a_network_scaled_for_the_inputs(setting: str) -> None:
    """U(−1/√n, 1/√n), the first ones times ½/√m."""
    X, y = samples()
    factor = 0.5 / math.sqrt(np.mean(X**2)) if setting == "prototypical" else 1.0
    new = untrained(X, y, setting=setting, hidden_layer_sizes=(2000,))
    for coef, n, scale in zip(new.coefs_, (6, 2000), (factor, 1.0), strict=True):
        assert np.abs(coef).max() == pytest.approx(scale / math.sqrt(n), rel=0.01)
    assert np.abs(new.intercepts_[0]).max() == pytest.approx(1 / math.sqrt(6), rel=0.01)


@ignore_convergence
@pytest.mark.parametrize("rule", ["c-ep", "ep", "bptt"])
@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [*(("float32", e) for e in (-49, -12, 20, 49)), ("float64", -480), ("float64", 480)],
)
def test_a_factor_on_all_inputs_changes_nothing(rule: str, dtype: str, exponent: int) -> None:
    """A power of two, so that not even rounding differs."""
    X, y = samples()
    factor = 2.0**exponent
    options: Any = {"rule": rule, "dtype": dtype, "optimizer": "sgd"}
    one, scaled = (fitted(x, y, **options) for x in (X, X * factor))
    assert same([one.predict_proba(X)], [scaled.predict_proba(X * factor)])
    assert same([one.coefs_[0]], [scaled.coefs_[0] * np.dtype(dtype).type(factor)])
    assert one.loss_curve_ == scaled.loss_curve_


@ignore_convergence
@pytest.mark.parametrize("exponent", [-3, 6])
def test_a_factor_on_all_inputs_changes_little_with_adam(exponent: int) -> None:
    """Its ε does not have the factor."""
    X, y = samples()
    one, scaled = (fitted(x, y, optimizer="adam") for x in (X, X * 2.0**exponent))
    assert not same([one.coefs_[0]], [untrained(X, y).coefs_[0]])
    np.testing.assert_allclose(one.coefs_[0], scaled.coefs_[0] * 2.0**exponent, atol=2e-4)


@ignore_convergence
def test_bptt_goes_down_the_gradient() -> None:
    """All samples in one batch; that the gradient is one, other tests compare with differences."""
    X, y = samples()
    options = {"rule": "bptt", "dtype": "float64", "batch_size": 50, "optimizer": "sgd"}
    before, trained = untrained(X, y, **options), fitted(X, y, max_iter=1, **options)
    net = cep.Network([6, 8, 3], dtype="float64")
    for k in range(2):
        net.weights[k], net.biases[k] = before.coefs_[k].T, before.intercepts_[k]
    exact = cep.gradient(net, X, y, cep.BPTT(before.free_steps))
    for k in range(2):
        moved = trained.coefs_[k] - before.coefs_[k]
        expected = -trained.learning_rates_[k] * exact.weights[k].T
        np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-12)
        moved = trained.intercepts_[k] - before.intercepts_[k]
        expected = -trained.bias_learning_rates_[k] * exact.biases[k]
        np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-12)


@ignore_convergence
def test_momentum_is_kept_between_calls() -> None:
    """Two epochs of one batch: the second move is half the first one, and down the gradient."""
    X, y = samples()
    options: Any = {"rule": "bptt", "dtype": "float64", "batch_size": 50}
    trained = classifier(optimizer=cep.SGD(momentum=0.5), **options)
    moments = [untrained(X, y, **options).coefs_]
    for _ in range(2):
        moments.append(trained.partial_fit(X, y, [0, 1, 2]).coefs_)
        if len(moments) == 2:
            net = cep.Network([6, 8, 3], dtype="float64")
            for k in range(2):
                net.weights[k], net.biases[k] = trained.coefs_[k].T, trained.intercepts_[k]
    exact = cep.gradient(net, X, y, cep.BPTT(trained.free_steps))
    for k, (first, second, third) in enumerate(zip(*moments, strict=True)):
        expected = 0.5 * (second - first) - trained.learning_rates_[k] * exact.weights[k].T
        np.testing.assert_allclose(third - second, expected, rtol=0, atol=1e-12)


@ignore_convergence
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("word", [False, True])
def test_synapses_are_those_asked_for(biases: bool, word: bool) -> None:
    """Without noise and variation, every change is a number of steps."""
    X, y = samples()
    model: Any = cep.hardware.ConstantStep(1 / 64)
    options: Any = {"dtype": "float64", "synapses": model.word if word else model}
    if biases:
        options["bias_synapses"] = model
    before, trained = untrained(X, y, **options), fitted(X, y, **options)
    for name, pulsed in (("coefs_", True), ("intercepts_", biases)):
        for old, new in zip(getattr(before, name), getattr(trained, name), strict=True):
            steps = (new - old) * 64
            assert np.abs(steps).max() > 0.5
            assert np.allclose(steps, steps.round(), rtol=0, atol=1e-9) == pulsed


@ignore_convergence
def test_neurons_are_those_asked_for() -> None:
    """Two hidden units that send a bit each leave four outputs at most."""
    X, y = samples()
    found = [
        len(np.unique(new.predict_proba(5 * X), axis=0))
        for each in (None, "state_bits=1", cep.hardware.Neurons(state_bits=1))
        for new in [untrained(X, y, hidden_layer_sizes=2, neurons=each)]
    ]
    assert found[0] == 50
    assert 1 < found[1] == found[2] <= 4


@ignore_convergence
@pytest.mark.parametrize(
    ("activation", "bottom", "top"),
    [
        ("shifted_sigmoid", 0, 1),
        ("hard_sigmoid", 0, 1),
        ("tanh", -1, 1),
        (cep.TabulatedActivation([-1, 0.5, 2], [-2, 1, 4]), -2, 4),
    ],
)
def test_targets_take_the_middle_of_the_range_of_the_activation(
    activation: Any, bottom: float, top: float
) -> None:
    """One epoch equals the equations, with targets in the middle 80 % of the range."""
    X, _ = samples()
    y = targets(X)
    options: Any = {
        "activation": activation,
        "dtype": "float64",
        "shuffle": False,
        "beta_sign": "fixed",
        "rule": "ep",
        "optimizer": "sgd",
        "max_iter": 1,
    }
    low, high = y.min(axis=0), y.max(axis=0)
    share = 0.1 + 0.8 * (y - low) / (high - low)
    scaled = bottom + (top - bottom) * share
    assert regressor().fit(X, y).bias_learning_rates_[0] == 2 / 7  # SGD, by default.
    trained = regressor(**options, learning_rate_init=(0, 0.5)).fit(X, y)
    new = regressor(**options, learning_rate_init=0).fit(X, y)
    net = cep.Network([6, 8, 2], activation=activation, dtype="float64", relaxation=new.relaxation)
    for k in range(2):
        net.weights[k], net.biases[k] = new.coefs_[k].T, new.intercepts_[k]
    rule = cep.EP(new.free_steps, new.nudged_steps, new.beta, [0, 0.5 / 9], beta_sign="fixed")
    loss = sum(
        len(X[rows]) * cep.train_batch(net, X[rows], scaled[rows], rule).loss
        for rows in (slice(0, 20), slice(20, 40), slice(40, 50))
    )
    outputs = net.outputs(X, new.free_steps)
    back = low + (high - low) * ((outputs - bottom) / (top - bottom) - 0.1) / 0.8
    np.testing.assert_allclose(trained.predict(X), back, rtol=1e-9)
    assert trained.loss_curve_ == pytest.approx([loss / 50 / scaled.var(axis=0).sum()], rel=1e-9)


@ignore_convergence
@pytest.mark.parametrize("shuffle", [True, False])
def test_signs_of_beta_are_as_asked_for(shuffle: bool) -> None:
    """In one batch a random sign is + or −, and a symmetric one the mean of both."""
    X, y = samples()

    def coefs(beta: float, beta_sign: str, seed: int) -> Any:
        return fitted(
            X, y, rule="ep", optimizer="sgd", dtype="float64", batch_size=50,
            shuffle=shuffle, random_state=seed,
            beta=beta, beta_sign=beta_sign, max_iter=1,
        ).coefs_[0]  # fmt: skip

    drawn = []
    for seed in range(12):
        plus, minus = coefs(0.5, "fixed", seed), coefs(-0.5, "fixed", seed)
        random = coefs(0.5, "random", seed)
        drawn.append(np.allclose(random, plus, rtol=0, atol=1e-12))
        assert drawn[-1] != np.allclose(random, minus, rtol=0, atol=1e-12)
        mean = coefs(0.5, "symmetric", seed)
        np.testing.assert_allclose(mean, (plus + minus) / 2, rtol=0, atol=1e-12)
    assert 0 < sum(drawn) < 12


# Predictions


@ignore_convergence
@pytest.mark.parametrize("activation", ["shifted_sigmoid", "hard_sigmoid", "tanh"])
@pytest.mark.parametrize("rows", [1, 50, 600])
def test_probabilities_are_shares_of_the_outputs(activation: str, rows: int) -> None:
    X, _ = samples(rows, seed=1)
    trained = fitted(*samples(), activation=activation, dtype="float64")
    trained.intercepts_[1] -= 1.5  # So that rows with no positive output are among them.
    outputs = model_of(trained).free_phase(X, trained.free_steps)[-1]
    assert rows < 600 or activation == "shifted_sigmoid" or (outputs.max(axis=1) <= 0).any()
    expected = []
    for row in outputs:
        clipped = [max(output, 0) for output in row]
        if sum(clipped) == 0:
            clipped = [float(output == max(row)) for output in row]
        expected.append([each / sum(clipped) for each in clipped])
    found = trained.predict_proba(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert (trained.predict(X) == found.argmax(axis=1)).all()
    assert (trained.predict(X) == outputs.argmax(axis=1)).all()


@ignore_convergence
def test_probabilities_with_cross_entropy_are_the_softmax() -> None:
    X, _ = samples(30, seed=1)
    options: Any = {"loss": "cross_entropy", "relaxation": "alternating", "dtype": "float64"}
    trained = fitted(*samples(), **options)
    net = cep.Network([6, 8, 3], **options)
    for k in range(2):
        net.weights[k], net.biases[k] = trained.coefs_[k].T, trained.intercepts_[k]
    powers = np.exp(net.outputs(X, trained.free_steps))
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(trained.predict_proba(X), expected, rtol=1e-12)
    assert trained.out_activation_ == "softmax"


@ignore_convergence
def test_shapes_and_counts_are_those_of_mlp_classifier() -> None:
    X, y = samples(47)
    theirs = MLPClassifier((8, 5), max_iter=4, random_state=0).fit(X, y)
    ours = fitted(X, y, hidden_layer_sizes=(8, 5))
    for name in ("coefs_", "intercepts_"):
        shapes = [each.shape for each in getattr(theirs, name)]
        assert [each.shape for each in getattr(ours, name)] == shapes
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("validation_scores_", "best_validation_score_"):
        assert getattr(ours, name) is getattr(theirs, name) is None
    assert len(ours.loss_curve_) == len(theirs.loss_curve_) == 4
    assert ours.loss_ == ours.loss_curve_[-1]
    assert ours.best_loss_ == min(ours.loss_curve_)
    assert ours.out_activation_ == "shifted_sigmoid"


@ignore_convergence
def test_predictions_read_the_coefficients() -> None:
    X, y = samples()
    trained = fitted(X, y)
    trained.coefs_[-1][...] = 0
    trained.intercepts_[-1][...] = [0, 1, 0]
    assert set(trained.predict(X)) == {1}
