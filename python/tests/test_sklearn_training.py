"""How estimators continue, fail and stop, and what a seed determines."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from small_classifiers import (
    classifier,
    fitted,
    ignore_convergence,
    parameters_of,
    regressor,
    samples,
    targets,
)
from snapshot import same

import cep
from cep.sklearn.estimator import epochs_without_improvement

# Continued training


@ignore_convergence
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"rule": "c-ep"},
        {"rule": "ep", "relaxation": "synchronous"},
        {"rule": "ep", "optimizer": "adam"},
        {
            "synapses": "ecram",
            "bias_synapses": "ecram",
            "neurons": "state_noise=0.01:gain_dtod=0.1",
        },
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fits_are_a_fit_epoch_by_epoch(make: Any, options: Any, shuffle: bool) -> None:
    X, y = samples()
    y = y if make is classifier else targets(X)
    whole = make(shuffle=shuffle, max_iter=5, **options).fit(X, y)
    stepped = make(shuffle=shuffle, **options)
    for epoch in range(5):
        if make is classifier:
            stepped.partial_fit(X, y, classes=[0, 1, 2] if epoch == 0 else None)
        else:
            stepped.partial_fit(X, y)
        assert stepped.n_iter_ == 1
    assert same(parameters_of(stepped), parameters_of(whole))
    assert stepped.loss_curve_ == whole.loss_curve_
    assert stepped.t_ == whole.t_ == 250


@ignore_convergence
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_warm_starts_continue_a_fit(feedback: str) -> None:
    X, y = samples()
    whole = fitted(X, y, feedback=feedback, max_iter=6)
    parts = fitted(X, y, feedback=feedback, max_iter=2, warm_start=True)
    parts.set_params(max_iter=4).fit(X, y)
    assert same(parameters_of(parts), parameters_of(whole))
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 4
    again = parts.set_params(warm_start=False, max_iter=6).fit(X, y)
    assert same(parameters_of(again), parameters_of(whole))
    assert len(again.loss_curve_) == 6


@ignore_convergence
def test_invalid_continuations_are_refused() -> None:
    X, y = samples()
    trained = fitted(X, y, warm_start=True)
    before = pickle.dumps(trained)
    for call in (trained.fit, trained.partial_fit):
        with pytest.raises(ValueError, match=r"the labels of y must be in .* got \[3\]"):
            call(X, y + 1)
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        trained.partial_fit(X, y, classes=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="X has 5 features, but EPClassifier is expecting 6"):
        trained.fit(X[:, :5], y)
    assert pickle.dumps(trained) == before
    trained.set_params(hidden_layer_sizes=9, feedback="untied")
    for call in (trained.fit, trained.partial_fit):
        with pytest.raises(ValueError, match=r"sizes was \(6, 8, 3\) and is \(6, 9, 3\), feedback"):
            call(X, y)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        classifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])


@ignore_convergence
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["catfish", "dogfish"], ["cat", "dog"]),
        ([0.4, 1.2], [0, 1]),
        ([300, 1], np.array([44, 1], np.uint8)),
        ([0, 1], ["0", "1"]),
        (["cat", "cow"], ["cat", "dog"]),
    ],
)
@pytest.mark.parametrize("fresh", [True, False])
def test_labels_that_are_no_classes(labels: Any, classes: Any, fresh: bool) -> None:
    X = np.random.default_rng(0).random((20, 4))
    trained = classifier()
    if not fresh:
        trained.partial_fit(X, np.resize(classes, 20), classes=classes)
    before = pickle.dumps(trained)
    with pytest.raises(ValueError, match=r"the labels of y must be|Unknown label type"):
        trained.partial_fit(X, np.resize(labels, 20), classes=classes)
    assert pickle.dumps(trained) == before


def test_a_partial_fit_knows_classes_that_it_has_not_seen() -> None:
    X, y = samples()
    trained = classifier().partial_fit(X[y < 2], y[y < 2], classes=[2, 1, 0])
    assert trained.classes_.tolist() == [0, 1, 2]
    assert trained.predict_proba(X).shape == (50, 3)


@ignore_convergence
def test_outputs_of_a_regressor_that_change() -> None:
    X, _ = samples()
    trained = regressor().partial_fit(X, targets(X))
    with pytest.raises(ValueError, match="y must have 2 outputs as in the first call, got 1"):
        trained.partial_fit(X, X[:, 0])


# Seeds and failures


@ignore_convergence
def test_the_random_state_determines_every_bit() -> None:
    X, y = samples()
    first, again, other = (fitted(X, y, random_state=seed) for seed in (1, 1, 2))
    assert same(parameters_of(first), parameters_of(again))
    assert not same(parameters_of(first), parameters_of(other))
    generator = np.random.RandomState(1)
    of_generator, of_its_rest = (fitted(X, y, random_state=generator) for _ in range(2))
    assert same(parameters_of(first), parameters_of(of_generator))
    assert not same(parameters_of(first), parameters_of(of_its_rest))
    drawn, drawn_again = (fitted(X, y, random_state=None) for _ in range(2))
    assert not same(parameters_of(drawn), parameters_of(drawn_again))


@ignore_convergence
def test_the_global_random_numbers_are_left_alone() -> None:
    X, y = samples()
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    fitted(X, y, early_stopping=True)
    assert np.random.random() == expected


@ignore_convergence
def test_divergence_leaves_the_estimator_as_it_was() -> None:
    X, y = samples()
    trained = fitted(X, y)
    before = trained.predict_proba(X)
    trained.set_params(beta=10, nudged_steps=1000)
    for call in (trained.fit, trained.partial_fit):
        with pytest.raises(cep.DivergenceError, match="the nudged phase diverged"):
            call(X, y)
    assert same([trained.predict_proba(X)], [before])
    assert trained.n_iter_ == len(trained.loss_curve_) == 4


@ignore_convergence
def test_an_interrupt_leaves_the_estimator_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = samples()
    trained = fitted(X, y, warm_start=True)
    before = pickle.dumps(trained)

    def interrupt(line: str) -> None:
        if line.startswith("Iteration 6"):
            raise KeyboardInterrupt

    trained.set_params(verbose=True)
    monkeypatch.setattr("builtins.print", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trained.fit(X, y)
    assert pickle.dumps(trained.set_params(verbose=False)) == before


# When it stops


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("patience", [1, 4])
def test_it_stops_in_the_epoch_in_which_mlp_classifier_does(
    early_stopping: bool, patience: int
) -> None:
    """If no epoch is an improvement, both stop, without a warning."""
    X, y = samples()
    options = {
        "tol": 1e9,
        "n_iter_no_change": patience,
        "early_stopping": early_stopping,
        "max_iter": 50,
    }
    ours = fitted(X, y, **options)
    theirs = MLPClassifier((8,), random_state=0, **options).fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize(
    ("losses", "epochs"),
    [
        ([], 0),
        ([5], 0),
        ([5, 4, 3], 0),
        ([5, 5, 5], 2),
        ([5, 4.5, 4, 3.5, 3], 4),  # Each only a half below the best before it.
        ([5, 4, 6, 7, 3.9, 3.8], 4),
        ([5, 6, 6, 4], 0),
        ([5, 4.01, 4.005], 2),
    ],
)
def test_an_improvement_is_by_tol_below_the_best_before(losses: Any, epochs: int) -> None:
    """Checked by hand, with a tolerance of 1."""
    assert epochs_without_improvement([-loss for loss in losses], 1.0) == epochs


def test_a_warning_says_that_the_epochs_are_over() -> None:
    X, y = samples()
    with pytest.warns(ConvergenceWarning, match="not converged after max_iter=4 epochs") as caught:
        classifier().fit(X, y)
    assert caught[0].filename == __file__


@ignore_convergence
def test_early_stopping_keeps_the_best_parameters() -> None:
    X, y = samples(120)
    options = {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 100}
    stopped = fitted(X, y, max_iter=30, **options)
    scores = stopped.validation_scores_
    assert len(scores) == len(stopped.loss_curve_) == stopped.n_iter_ == 30
    assert stopped.best_validation_score_ == max(scores)
    assert stopped.best_loss_ is None
    best = scores.index(max(scores)) + 1
    assert 1 < best < 30
    until_there = fitted(X, y, max_iter=best, **options)
    assert same(parameters_of(stopped), parameters_of(until_there))
    # A quarter is held out: 90 samples are learned from, and scores are thirtieths.
    assert stopped.t_ == 30 * 90
    assert [round(30 * score) / 30 for score in scores] == pytest.approx(scores)


@ignore_convergence
def test_early_stopping_scores_a_regressor_by_r2() -> None:
    X, _ = samples(80)
    y = targets(X)
    options: Any = {"early_stopping": True, "validation_fraction": 0.25, "max_iter": 1}
    trained = regressor(**options).fit(X, y)
    assert trained.t_ == 60
    _, held_out = train_test_split(np.arange(80), test_size=0.25, random_state=trained._seed)
    assert trained.best_validation_score_ == pytest.approx(
        r2_score(y[held_out], trained.predict(X[held_out])), abs=1e-5
    )
    assert trained.validation_scores_ == [trained.best_validation_score_]


@ignore_convergence
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_what_mlp_classifier_does(
    early_stopping: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = samples()
    trained = fitted(X, y, early_stopping=early_stopping, verbose=True)
    expected = []
    for epoch, loss in enumerate(trained.loss_curve_, start=1):
        expected.append(f"Iteration {epoch}, loss = {loss:.8f}")
        if early_stopping:
            expected.append(f"Validation score: {trained.validation_scores_[epoch - 1]:f}")
    assert capsys.readouterr().out.splitlines() == expected
    fitted(X, y, early_stopping=early_stopping)
    assert capsys.readouterr() == ("", "")


@ignore_convergence
def test_early_stopping_holds_out_each_class_in_its_proportion() -> None:
    """Of 80, 16 and 4 samples a quarter each: the least class has one. Nobody can tell them apart,
    so that all are taken for the most frequent one, which is 20 of 25.
    """
    y = np.repeat([0, 1, 2], [80, 16, 4])
    X = np.ones((100, 2))
    for seed in range(3):
        stopped = fitted(X, y, early_stopping=True, validation_fraction=0.25, random_state=seed)
        assert set(stopped.predict(X)) == {0}
        assert stopped.validation_scores_[-1] == pytest.approx(20 / 25)


@ignore_convergence
def test_the_best_loss_is_the_lowest() -> None:
    """A rate that is too high makes the loss go up and down."""
    trained = fitted(*samples(), rule="c-ep", learning_rate_init=8, max_iter=20)
    assert trained.loss_ > min(trained.loss_curve_)
    assert trained.best_loss_ == min(trained.loss_curve_)


@pytest.mark.parametrize("rule", ["c-ep", "ep"])
@ignore_convergence
def test_inputs_that_are_all_zero_are_learned_from(rule: str) -> None:
    """Biases can tell how frequent classes are."""
    X, y = np.zeros((40, 3)), np.repeat([0, 1], [10, 30])
    assert set(fitted(X, y, rule=rule, max_iter=20).predict(X)) == {1}


@ignore_convergence
@pytest.mark.parametrize(("batch_size", "like"), [("auto", 20), (50, 50), (10**6, 50)])
def test_batch_sizes(batch_size: Any, like: int) -> None:
    X, y = samples()
    assert same(
        parameters_of(fitted(X, y, batch_size=batch_size)),
        parameters_of(fitted(X, y, batch_size=like)),
    )
    assert not same(
        parameters_of(fitted(X, y, batch_size=batch_size)),
        parameters_of(fitted(X, y, batch_size=7)),
    )
