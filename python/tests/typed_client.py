"""A type-checked user program: all public names with their promised types.

mypy --strict and pyright read it (see the Makefile); test_typing.py checks that no name is
missing, and runs it.
"""

import copy
import pickle
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import cep


def build() -> cep.Network:
    """Networks are described by sizes and options."""
    options: cep.NetworkOptions = {"setting": "real-time", "feedback": "untied", "seed": 1}
    net = cep.Network([4, 3, 2], **options)
    assert_type(net.sizes, tuple[int, ...])
    assert_type(net.options, cep.NetworkOptions)
    assert_type(net.parameter_count, int)
    assert_type(net.weights[0], NDArray[Any])
    assert_type(net.weights[1:], list[NDArray[Any]])
    assert_type(net.feedback_weights[1], NDArray[Any] | None)
    net.biases[0] = [0.0, 0.5, 1.0]
    assert_type(net.random_state, tuple[int, int, int, int])
    layers: list[cep.Input | cep.Dense | cep.Readout] = [cep.Input(4), cep.Dense(3), cep.Readout(2)]
    assert_type(cep.Network(layers).loss, str)
    convolution = cep.Conv2d(3, (2, 2), padding=1, pool="max")
    maps: list[cep.Input | cep.Conv2d | int] = [cep.Input(1, 4, 4), convolution, 2]
    assert_type(cep.Network(maps, connections=[(0, 2)]).shapes, tuple[tuple[int, ...], ...])
    assert_type(net.edges, tuple[tuple[int, int], ...])
    return net


def imperfect(x: NDArray[np.float32], y: list[int]) -> None:
    """Devices as synapses, imperfect neurons, and what they cost."""
    device = cep.hardware.presets.ecram(dw_min=0.01)
    assert_type(device, cep.hardware.LinearStep)
    assert_type(device.pulse_response([1, 1, -1]), NDArray[np.float64])
    net = cep.Network(
        [4, 3, 2],
        activation=cep.TabulatedActivation([0, 1], [0, 1]),
        synapses=[device, "soft_bounds:dw_min=0.01"],
        neurons=cep.hardware.Neurons(state_noise=0.01, state_bits=8),
        read_noise=0.01,
    )
    assert_type(net.synapses, tuple[cep.hardware.Synapse, ...])
    counts = cep.hardware.count(net, cep.CEP(3, 2, 0.5, learning_rates=0.1), (x, y))
    assert_type(counts, cep.hardware.Counts)
    assert_type(counts.energy(pulse=1e-12).total, float)


def relax(net: cep.Network, x: NDArray[np.float32], y: list[int]) -> None:
    """Phases and predictions."""
    outcome = net.free_phase(x, steps=5)
    assert_type(outcome, cep.PhaseOutcome)
    assert_type(outcome.converged, bool)
    assert_type(net.nudged_phase(y, beta=0.5, steps=5).residual, float)
    assert_type(net.predict(x, steps=5), NDArray[np.int64])
    assert_type(net.states[0], NDArray[Any])


def learn(net: cep.Network, x: NDArray[np.float32], y: list[int]) -> None:
    """Rules, gradients and training."""
    rules: list[cep.LearningRule] = [
        cep.EP(5, 5, 0.5, 0.1, optimizer=cep.SGD(momentum=0.9)),
        cep.CEP(5, 5, 0.5, [0.1, 0.05]),
        cep.EP(5, 5, 0.5, 0.1, optimizer=cep.Adam()),
        cep.EP(5, 5, 0.5, 0.1, asymmetry="exact", feedback_learning_rates=0),
        cep.CEP(5, 5, 0.5, 0.1, asymmetry="exact", feedback_learning_rates=[0.1, 0.05]),
        cep.BPTT(5, learning_rates=0.1),
        cep.RBP(200, learning_rates=0.1),
    ]
    for rule in rules:
        result = cep.train_batch(net, x, y, rule)
        assert_type(result, cep.BatchResult)
        assert_type(result.loss, float)
    assert_type(rules[0].optimizer, cep.Optimizer)
    estimate = cep.gradient(net, x, y, rules[0])
    assert_type(estimate, cep.Gradient)
    assert_type(estimate.angle(estimate), float)
    history = cep.fit(net, (x, y), rules[1], epochs=1, progress=False, validation_data=(x, y))
    assert_type(history, cep.History)
    assert_type(history.train_error, list[float])
    assert_type(cep.evaluate(net, (x, y), steps=5), cep.Evaluation)


def diagnose(net: cep.Network, x: NDArray[np.float32], y: list[int]) -> None:
    """The theorem, and hyperparameters."""
    report = cep.gdu_check(net, x, y, free_steps=400, nudged_steps=2, beta=0.1, asymmetry="exact")
    assert_type(report, cep.GDUReport)
    assert_type(report.angle, float)
    suggestion = cep.suggest(net, x, y, rule=cep.CEP, max_free_steps=20, betas=[0.1])
    assert_type(suggestion, cep.Suggestion)
    assert_type(suggestion.free_steps, int)
    cep.fit(net, (x, y), suggestion.rule, epochs=1, progress=False)
    cep.plot_gdu(report)


def look_inside(net: cep.Network, x: NDArray[np.float32], y: list[int]) -> None:
    """Traces of phases, plots, and a view of training."""
    rule = cep.CEP(5, 5, 0.5, 0.1)
    with cep.trace(net, layers=[1, 2], samples=2, weights=True) as trace:
        cep.train_batch(net, x, y, rule)
    assert_type(trace, cep.Trace)
    assert_type(trace.nudged, cep.PhaseTrace)
    assert_type(trace.states[1], NDArray[Any] | None)
    assert_type(trace.nudged.weights, list[NDArray[Any]] | None)
    assert_type(trace.nudged.weight_movement(0), NDArray[np.float64])
    cep.plot_relaxation(trace, units=3)
    cep.plot_weights(net, [0, 1], shape=(1, 4))
    cep.plot_angles([net.feedback_angles()], label="at first")
    cep.fit(net, (x, y), rule, epochs=1, callbacks=[cep.LiveView(seconds=2)])


class Stopping(cep.Callback):
    """A user's callback."""

    def on_epoch_end(self, training: cep.Training) -> object:
        """Stop."""
        assert_type(training.history, cep.History)
        if training.epoch > 5:
            raise cep.StopTraining
        return cep.STOP


def callbacks(net: cep.Network, x: NDArray[np.float32], y: list[int], folder: Path) -> None:
    """The callbacks of the package."""
    diagnostics = cep.Diagnostics(2, ["weight_norms"])
    every: list[cep.Callback] = [
        cep.EarlyStopping("train_error", patience=2, restore_best=True),
        cep.LearningRateSchedule.cosine(4),
        cep.LearningRateSchedule.step({2: 0.5}),
        cep.SaveNetwork(folder / "best.safetensors", "train_loss"),
        cep.CSVLog(folder / "history.csv"),
        cep.ProgressBar(),
        diagnostics,
        Stopping(),
    ]
    cep.fit(net, (x, y), cep.EP(5, 5, 0.5, 0.1), 2, validation_data=0.5, callbacks=every)
    assert_type(diagnostics.records, list[dict[str, Any]])
    assert_type(cep.TensorBoard, type[cep.TensorBoard])


def copies(net: cep.Network, path: Path) -> None:
    """Copies, pickles and files."""
    assert_type(net.copy(), cep.Network)
    assert_type(copy.deepcopy(net), cep.Network)
    restored: cep.Network = pickle.loads(pickle.dumps(net))
    restored.save(path)
    try:
        assert_type(cep.load(path), cep.Network)
        cep.checkpoints.load(path)
    except cep.CheckpointError as error:
        print(error)


def runs(folder: Path) -> None:
    """Configurations and runs."""
    configuration = cep.Configuration(hidden=[5], epochs=1, learning_rates=0.01, free_steps=5)
    assert_type(configuration.replace(seed=1), cep.Configuration)
    result = cep.run(configuration, folder / "run", progress=False)
    assert_type(result, cep.RunResult)
    assert_type(result.test_error, float)
    checkpoint = cep.checkpoints.load(folder / "run" / "last.safetensors")
    assert_type(checkpoint, cep.Checkpoint)
    assert_type(checkpoint.make_network(), cep.Network)
    assert_type(cep.presets.get("EP-1h").configuration, cep.Configuration)
    assert_type(cep.RunDirectory(folder / "run").path, Path)
    assert_type(cep.runs.RunDirectory, type[cep.RunDirectory])
    cep.plot_history(result.history)
    cep.plot_records(result.records, result.history)


def many_runs(folder: Path) -> None:
    """Parallel runs, sweeps, and rows of the paper's table."""
    configuration = cep.Configuration(hidden=[5], epochs=1, learning_rates=0.01, free_steps=5)
    outcomes = cep.run_many({"one": configuration}, folder / "many", jobs=1, progress=False)
    assert_type(outcomes, dict[str, cep.RunOutcome])
    small = cep.presets.Preset("small", configuration, None)
    named: dict[str, cep.Configuration | cep.presets.Preset] = {"one": configuration, "two": small}
    cep.run_many(named, folder / "many", jobs=1, progress=False)
    assert_type(cep.run(small, progress=False), cep.RunResult)
    values = {"seed": [0, 1]}
    tuned = cep.tune(configuration, {"beta": (0.1, 0.5)}, trials=1, storage=folder / "study.db")
    assert_type(tuned, cep.TuneResult)
    assert_type(tuned.configuration, cep.Configuration)
    swept = cep.sweep(configuration, values, folder / "sweep", jobs=1, progress=False)
    assert_type(swept, cep.SweepResult)
    assert_type(swept.table(), str)
    row = cep.reproduce(small, 2, folder / "rows", jobs=1, progress=False)
    assert_type(row, cep.Reproduction)
    assert_type(row.test_error.mean, float)
    assert_type(cep.reproduction.read_rows(folder / "rows"), list[cep.Reproduction])


def exchange(net: cep.Network) -> None:
    """The same parameters in PyTorch, whose types may be unavailable."""
    module: Any = net.to_torch()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    remade = cep.from_torch(module, feedback="untied")  # pyright: ignore[reportUnknownMemberType]
    assert_type(remade, cep.Network)


def engine() -> None:
    """The engine's settings."""
    assert_type(cep.instruction_set(), str)
    assert_type(cep.get_num_threads(), int)
    cep.set_num_threads(cep.get_num_threads())
    assert_type(cep.__version__, str)
    caught: list[type[Exception]] = [
        cep.DivergenceError, cep.ConvergenceWarning, cep.LearningWarning
    ]  # fmt: skip
    assert len(caught) == 3


def main(folder: Path) -> None:
    """Everything except the exchange, which needs PyTorch."""
    x, y = cep.datasets.digits()
    inputs, labels = np.asarray(x[:6, :4], np.float32), [int(label) % 2 for label in y[:6]]
    net = build()
    imperfect(inputs, labels)
    relax(net, inputs, labels)
    learn(net, inputs, labels)
    diagnose(net, inputs, labels)
    look_inside(net, inputs, labels)
    callbacks(net, inputs, labels, folder)
    copies(net, folder / "net.safetensors")
    runs(folder)
    many_runs(folder)
    engine()
