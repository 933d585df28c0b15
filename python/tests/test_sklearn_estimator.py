"""Estimators among scikit-learn's tools: its checks, labels, pipelines, searches, pickles."""

import copy
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from small_classifiers import ignore_convergence, targets
from snapshot import same

import cep
from cep.sklearn import EPClassifier, EPRegressor

pytestmark = [pytest.mark.once, ignore_convergence]

# Blobs that any classifier tells apart.
CENTRES = np.array([[3.0, 0.0], [-3.0, 2.0], [0.0, -4.0]])


def blobs(samples: int = 60, seed: int = 0) -> tuple[Any, Any]:
    which = np.arange(samples) % 3
    noise = np.random.default_rng(seed).normal(size=(samples, 2))
    return CENTRES[which] + 0.5 * noise, which


def classifier(**parameters: Any) -> EPClassifier:
    return EPClassifier(**{"max_iter": 15, "random_state": 0, **parameters})


@parametrize_with_checks(
    [
        EPClassifier(max_iter=15),
        EPClassifier(rule="c-ep", max_iter=15),
        EPClassifier(rule="bptt", dtype="float64", hidden_layer_sizes=20, max_iter=15),
        EPClassifier((20, 20), feedback="untied", max_iter=15),
        EPClassifier(loss="cross_entropy", relaxation="alternating", optimizer="adam", max_iter=15),
        EPRegressor(max_iter=30),
        EPRegressor((20, 20), rule="c-ep", activation="tanh", max_iter=30),
    ]
)
def test_scikit_learns_own_check(estimator: Any, check: Callable[..., object]) -> None:
    """All that check_estimator runs; none is exempted."""
    check(estimator)


# Labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["red", "green", "blue"]),
        np.array(["red", "green", "blue"], dtype=object),
        np.array([-7, 0, 3]),
        np.array([2**62, 5, -(2**62)]),
        np.array([1, 200, 3], dtype=np.uint8),
        np.array([0.0, -2.0, 1.0]),
        np.array([True, False, True]),
        ["one", "two", "three"],
    ],
    ids=lambda labels: str(getattr(labels, "dtype", "list")),
)
def test_labels_of_any_kind_come_back(labels: Any) -> None:
    X, which = blobs()
    y = np.asarray(labels)[which]
    fitted = classifier().fit(X, y if isinstance(labels, np.ndarray) else list(y))
    expected = np.unique(y)
    assert fitted.classes_.tolist() == expected.tolist()
    assert fitted.predict(X).dtype == expected.dtype
    assert (fitted.predict(X) == y).mean() == fitted.score(X, y) == 1
    assert (fitted.classes_[fitted.predict_proba(X).argmax(axis=1)] == y).all()


def test_a_column_of_labels_is_taken_with_a_warning() -> None:
    X, y = blobs()
    with pytest.warns(DataConversionWarning, match="column-vector"):
        fitted = classifier().fit(X, y[:, np.newaxis])
    assert fitted.score(X, y) == 1


def test_one_class_is_predicted_with_certainty() -> None:
    X, _ = blobs()
    fitted = classifier().fit(X, ["only"] * len(X))
    assert set(fitted.predict(X)) == {"only"}
    assert (fitted.predict_proba(X) == 1).all()


# What is refused


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (sparse.csr_matrix(X), y), TypeError, "Sparse data.*dense data is required"),
        (lambda X, y: (sparse.csr_array(X), y), TypeError, "Sparse data.*dense data is required"),
        (lambda X, y: (X, np.eye(3)[y]), ValueError, r"one label per sample, got shape \(60, 3\)"),
        (lambda X, y: (X, np.eye(3, dtype=int)[y]), ValueError, r"got shape \(60, 3\)"),
        (lambda X, y: (X, y + 0.5), ValueError, "Unknown label type: continuous"),
        (lambda X, y: (X, y[1:]), ValueError, r"inconsistent numbers of samples: \[60, 59\]"),
        (lambda X, y: (X[0], y), ValueError, "Expected 2D array, got 1D array"),
        (lambda X, y: (X * np.nan, y), ValueError, "contains NaN"),
        (lambda X, y: (X * 1j, y), ValueError, "Complex data not supported"),
        (lambda X, y: (X * 1e100, y), ValueError, r"too large for (its squares|the network's d)"),
        (lambda X, y: (X * 1e160, y), ValueError, "too large"),
        (lambda X, y: (X[:0], y[:0]), ValueError, "0 sample"),
    ],
)
def test_refused_data_leaves_the_estimator_as_it_was(
    change: Callable[..., Any], error: type[Exception], message: str
) -> None:
    fitted = classifier().fit(*blobs())
    before = pickle.dumps(fitted)
    for call in (fitted.fit, fitted.partial_fit, clone(fitted).fit):
        with pytest.raises(error, match=message):
            call(*change(*blobs()))
    assert pickle.dumps(fitted) == before


@pytest.mark.parametrize("rule", ["c-ep", "ep", "bptt"])
@pytest.mark.parametrize(
    ("dtype", "factor", "size"),
    [
        ("float32", 1e-200, "small"),
        ("float32", 1e-30, "small"),
        ("float32", 1e-18, "small"),
        ("float32", 1e18, "large"),
        ("float32", 1e100, "large"),
        ("float64", 1e-200, "small"),
        ("float64", 1e-160, "small"),
        ("float64", 1e160, "large"),
    ],
)
def test_inputs_whose_squares_do_not_fit_are_refused(
    rule: str, dtype: str, factor: float, size: str
) -> None:
    """By a sentence about X: the learning rates that follow from it are nobody's choice."""
    X, y = blobs()
    X *= factor
    largest = re.escape(f"{np.abs(X).max():.3g}")
    words = rf"^X is too {size} for its squares in {dtype}: .* is {largest}, .*scale its features"
    with pytest.raises(ValueError, match=words):
        classifier(rule=rule, dtype=dtype).fit(X, y)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_refused_in_prediction(method: str) -> None:
    X, y = blobs()
    with pytest.raises(NotFittedError):
        getattr(classifier(), method)(X)
    predict = getattr(classifier().fit(X, y), method)
    with pytest.raises(TypeError, match="dense data is required"):
        predict(sparse.csr_matrix(X))
    with pytest.raises(ValueError, match="X has 3 features, but EPClassifier is expecting 2"):
        predict(np.ones((5, 3)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hidden_layer_sizes", (), "hidden_layer_sizes is empty"),
        ("hidden_layer_sizes", (10, 0), r"hidden_layer_sizes\[1\] must be 1 or more, got 0"),
        ("hidden_layer_sizes", 2.5, "hidden_layer_sizes must be an integer, got float"),
        ("hidden_layer_sizes", "10", "hidden_layer_sizes must be an integer, got str"),
        ("activation", "relu", "activation must be 'shifted_sigmoid'.*got 'relu'"),
        ("rule", "adam", "rule must be 'c-ep' or 'ep' or 'bptt', got 'adam'"),
        ("setting", "discrete", "setting must be.*got 'discrete'"),
        ("dt", 2.0, "dt.*2"),
        ("clamp", "no", "clamp must be True or False, got str"),
        ("feedback", "none", "feedback must be.*got 'none'"),
        ("feedback_angle", 400, "feedback angle must be 0 to 180 degrees, got 400"),
        ("dtype", "float16", "dtype must be.*got 'float16'"),
        ("relaxation", "random", "relaxation must be 'synchronous' or 'alternating', got 'random'"),
        ("loss", "log", "loss must be 'squared_error' or 'cross_entropy', got 'log'"),
        ("synapses", "memristor", "unknown synapse 'memristor'"),
        ("bias_synapses", [], "bias_synapses is empty"),
        ("neurons", 3, r"neurons must be cep\.hardware\.Neurons"),
        ("optimizer", "rmsprop", "optimizer must be 'sgd' or 'adam', got 'rmsprop'"),
        ("optimizer", cep.SGD, r"optimizer must be cep\.SGD\(…\) or cep\.Adam"),
        ("free_steps", 0, "free_steps must be 1 or more, got 0"),
        ("nudged_steps", 1.5, "nudged_steps must be an integer, got float"),
        ("beta", 0, "beta must be finite and not 0"),
        ("beta_sign", "both", "beta_sign must be 'fixed' or 'random' or 'symmetric', got 'both'"),
        ("learning_rate_init", -1, "learning_rate_init must be finite and 0 or more, got -1"),
        ("learning_rate_init", "high", "learning_rate_init must be a real number, got str"),
        ("learning_rate_init", float("nan"), "learning_rate_init must be finite.*nan"),
        ("learning_rate_init", (1, 2, 3), "learning_rate_init has 3 values.*2 connections"),
        ("batch_size", 0, "batch_size must be 1 or more, got 0"),
        ("batch_size", "all", "batch_size must be an integer or 'auto', got 'all'"),
        ("max_iter", 0, "max_iter must be 1 or more, got 0"),
        ("shuffle", 1, "shuffle must be True or False, got int"),
        ("random_state", "a", "cannot be used to seed"),
        ("tol", -1e-4, "tol must be 0 or more"),
        ("tol", float("nan"), "tol must be 0 or more, got nan"),
        ("warm_start", "yes", "warm_start must be True or False, got str"),
        ("early_stopping", None, "early_stopping must be True or False, got NoneType"),
        ("validation_fraction", 1.0, "validation_fraction must be between 0 and 1, got 1.0"),
        ("n_iter_no_change", 0, "n_iter_no_change must be 1 or more, got 0"),
    ],
)
def test_a_refused_parameter_is_named(name: str, value: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        classifier(**{name: value}).fit(*blobs())


# Targets


@pytest.mark.parametrize("activation", ["shifted_sigmoid", "tanh"])
def test_targets_of_any_scale_are_learned(activation: str) -> None:
    """Two outputs, one of them of no variance; R² is that of scikit-learn."""
    X = np.random.default_rng(0).normal(size=(200, 6))
    y = np.column_stack([targets(X), np.full(200, 5.0)])
    trained = EPRegressor(activation=activation, random_state=0, max_iter=60).fit(X, y)
    predicted = trained.predict(X)
    assert predicted.shape == (200, 3)
    assert predicted.dtype == np.float64
    found = r2_score(y[:, :2], predicted[:, :2], multioutput="raw_values")
    assert found.min() > 0.7
    np.testing.assert_allclose(predicted[:, 2], 5, atol=0.1)
    assert trained.score(X, y) == pytest.approx(r2_score(y, predicted))


def test_one_output_is_one_dimensional() -> None:
    X = np.random.default_rng(0).normal(size=(30, 6))
    y = targets(X)[:, 0]
    flat = EPRegressor(random_state=0, max_iter=2).fit(X, y)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        column = EPRegressor(random_state=0, max_iter=2).fit(X, y[:, np.newaxis])
    assert flat.predict(X).shape == (30,)
    assert same([flat.predict(X)], [column.predict(X)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y * np.nan, "contains NaN"),
        (lambda y: y[1:], r"inconsistent numbers of samples: \[60, 59\]"),
        (lambda y: np.append(y[2:], [-1.7e308, 1.7e308]), "y must span a finite range"),
        (lambda y: y * 1j, "Complex data not supported"),
        (lambda y: y.astype(str) + "a", "could not convert string to float"),
    ],
)
def test_refused_targets_leave_the_regressor_as_it_was(
    change: Callable[[Any], Any], message: str
) -> None:
    X, _ = blobs()
    trained = EPRegressor(random_state=0, max_iter=2).fit(X, X[:, 0])
    before = pickle.dumps(trained)
    with pytest.raises(ValueError, match=message):
        trained.fit(X, change(X[:, 0]))
    assert pickle.dumps(trained) == before


def test_a_regressor_has_the_squared_error() -> None:
    X, _ = blobs()
    with pytest.raises(ValueError, match="loss must be 'squared_error', got 'cross_entropy'"):
        EPRegressor(loss="cross_entropy").fit(X, X[:, 0])


# Copies


def test_a_clone_has_the_parameters_and_no_network() -> None:
    original = classifier(rule="ep", hidden_layer_sizes=(5, 4), learning_rate_init=(1, 2, 3))
    copied = clone(original.fit(*blobs()))
    assert copied.get_params() == original.get_params()
    assert not hasattr(copied, "coefs_")
    assert not hasattr(copied, "n_features_in_")


@pytest.mark.parametrize(
    "options", [{}, {"feedback": "untied"}, {"synapses": "ecram", "optimizer": "adam"}], ids=str
)
@pytest.mark.parametrize(
    "copy_of",
    [
        copy.deepcopy,
        *(
            lambda each, protocol=protocol: pickle.loads(pickle.dumps(each, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_copy_predicts_and_learns_on_as_the_original(
    copy_of: Callable[[EPClassifier], EPClassifier], options: Any
) -> None:
    X, y = blobs()
    original = classifier(warm_start=True, **options).fit(X, y)
    copied = copy_of(original)
    assert same([copied.predict_proba(X)], [original.predict_proba(X)])
    before = original.predict_proba(X)
    copied.fit(X, y)
    assert same([original.predict_proba(X)], [before])
    assert same(copied.coefs_, original.fit(X, y).coefs_)
    assert same(copied.feedback_coefs_, original.feedback_coefs_)


def test_a_pickle_is_read_in_another_process(
    tmp_path: Path, run_script: Callable[..., str]
) -> None:
    X, y = blobs()
    fitted = classifier().fit(X, y)
    path = tmp_path / "classifier.pickle"
    path.write_bytes(pickle.dumps((fitted, X)))
    program = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    classifier, X = pickle.load(file)
print(classifier.predict_proba(X).tobytes().hex())
"""
    assert run_script(program, path).strip() == fitted.predict_proba(X).tobytes().hex()


def test_several_threads_predict_with_one_estimator() -> None:
    X, y = load_iris(return_X_y=True)
    fitted = classifier(max_iter=2).fit(X, y)
    expected = fitted.predict_proba(X)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fitted.predict_proba(X), range(64)))
    assert all(same([each], [expected]) for each in found)


# Pipelines and searches


def test_pipelines_and_cross_validation() -> None:
    """On iris, standardised, where linear classifiers have 0.95."""
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), EPClassifier(max_iter=120, random_state=0))
    scores = cross_val_score(pipeline, X, y, cv=StratifiedKFold(3, shuffle=True, random_state=0))
    assert scores.shape == (3,)
    assert scores.mean() > 0.93


def test_a_grid_search_finds_what_learns() -> None:
    """Without learning, three classes are told apart by chance."""
    grid = {
        "epclassifier__learning_rate_init": [0.0, 4.0],
        "epclassifier__hidden_layer_sizes": [(5,), (20, 10)],
        "epclassifier__shuffle": np.array([True, False]),
    }
    search = GridSearchCV(make_pipeline(StandardScaler(), classifier()), grid, cv=2)
    search.fit(*blobs())
    assert search.best_params_["epclassifier__learning_rate_init"] == 4
    assert search.best_score_ == 1
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_diverging_candidate_is_reported_as_what_it_is() -> None:
    X, y = blobs()
    with pytest.raises(cep.DivergenceError, match="nudged phase diverged"):
        classifier(beta=10, nudged_steps=1000).fit(X, y)


@pytest.mark.slow
def test_the_defaults_are_as_accurate_as_mlp_classifier_on_the_digits() -> None:
    """Within one percentage point, cross-validated."""
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    ours, theirs = (
        cross_val_score(estimator, X, y, cv=folds).mean()
        for estimator in (EPClassifier(random_state=0), MLPClassifier(random_state=0))
    )
    assert theirs > 0.95
    assert ours >= theirs - 0.01
