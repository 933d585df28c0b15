"""A live view shows a network during training, and does not affect the training."""

import dataclasses
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import cep
from cep.cli import cep as command
from cep.training.live import screens, view
from cep.training.live.snapshots import Probe, Snapshot

pytestmark = pytest.mark.once

SPLIT = cep.datasets.split(cep.datasets.digits(), 360)
# Its epochs take longer than 20 ms, the interval of the engine's reports.
LARGE = tuple(np.concatenate([part] * 8) for part in SPLIT[0]), SPLIT[1]
RULES = {
    "ep": cep.EP(20, 6, 0.5, learning_rates=[0.1, 0.05]),
    "random": cep.CEP(20, 6, 0.5, learning_rates=[0.03, 0.008], beta_sign="random"),
    "bptt": cep.BPTT(12, learning_rates=[0.1, 0.05]),
}


class Spy(screens.Screen):
    """Records the snapshots that it is shown."""

    def __init__(self) -> None:
        self.looks: list[Snapshot] = []
        self.moves: list[Snapshot] = []
        self.ended = 0

    def __exit__(self, *exception: object) -> None:
        self.ended += 1

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        self.looks.append(look)

    def move(self, look: Snapshot) -> None:
        self.moves.append(look)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    screen = Spy()
    monkeypatch.setattr(view, "screen_here", lambda: screen)
    # Shows snapshots at this rate, however long they take.
    monkeypatch.setattr(view, "_LARGEST_SHARE", np.inf)
    return screen


def network(**options: Any) -> cep.Network:
    return cep.Network([64, 128, 10], seed=0, **options)


def equal(a: cep.Network, b: cep.Network) -> bool:
    return all(map(np.array_equal, a.parameters(), b.parameters()))


@pytest.mark.parametrize("name", RULES)
def test_training_with_a_view_is_training_without(spy: Spy, name: str) -> None:
    options = {"feedback": "untied", "feedback_angle": 30.0} if name == "random" else {}
    data, test = LARGE
    nets = [network(**options), network(**options)]
    histories = [
        cep.fit(net, data, RULES[name], 2, 20, test, seed=4, progress=False, callbacks=callbacks)
        for net, callbacks in zip(nets, [[], [cep.LiveView(1e-9)]], strict=True)
    ]
    assert equal(*nets)
    assert nets[0].random_state == nets[1].random_state
    for field in ("train_error", "train_loss", "validation_error", "validation_loss"):
        assert getattr(histories[0], field) == getattr(histories[1], field)
    # Also within epochs.
    assert any(0 < look.done < look.samples for look in spy.looks)
    assert spy.ended == 1


def test_a_run_with_a_view_is_a_run_without(spy: Spy, tmp_path: Path) -> None:
    configuration = cep.Configuration(
        data="digits", rule="c-ep", hidden=(128,), epochs=2, seed=2, diagnostics_every=200
    )
    plain = cep.run(configuration, data=LARGE, progress=False)
    shown = cep.run(configuration, tmp_path / "run", data=LARGE, callbacks=[cep.LiveView(1e-9)])
    assert equal(plain.network, shown.network)
    assert plain.records == shown.records
    assert plain.history.validation_error == shown.history.validation_error
    assert any(0 < look.done < look.samples for look in spy.looks)
    ends = [look for look in spy.looks if look.done == look.samples]
    assert [look.epoch for look in ends] == [1, 2]
    assert all(look.epochs == 2 for look in spy.looks)


@pytest.mark.parametrize("name", RULES)
def test_a_snapshot_runs_the_first_batch_by_the_rule(spy: Spy, name: str) -> None:
    data, test = SPLIT
    net = network()
    cep.fit(net, data, RULES[name], 1, validation_data=test, seed=4, callbacks=[cep.LiveView(1e-9)])
    last = spy.looks[-1]
    rule: Any = RULES[name]
    if name == "random":
        rule = dataclasses.replace(rule, beta_sign="fixed")
    copy = net.copy()
    with cep.trace(copy) as trace:
        cep.train_batch(copy, data[0][:20], data[1][:20], rule)
    assert np.array_equal(last.residuals, trace.residuals)
    assert last.free_steps == trace.free.steps
    for layer, states in enumerate(last.activity, start=1):
        assert np.array_equal(states, trace.free.states[layer][-1])  # type: ignore[index]
    moved = [
        float(np.linalg.norm(after - before))
        for after, before in zip(copy.weights, net.weights, strict=True)
    ]
    assert np.allclose([norms[-1] for norms in last.movement], moved, rtol=1e-5)
    assert last.is_continual == (name == "random")
    for k, norms in enumerate(last.movement):
        if name == "random":
            assert np.allclose(norms, trace.nudged.weight_movement(k), rtol=1e-5)
        else:
            steps = 7 if name == "ep" else 0
            assert not norms[:-1].any()
            assert len(norms) == steps + 1


def test_snapshots_do_not_draw_the_sign_of_beta() -> None:
    data, _ = SPLIT
    watched = Probe(network(), data[0][:20], data[1][:20])
    looks = [watched.run(RULES["random"]) for _ in range(12)]
    for look in looks[1:]:
        assert np.array_equal(look["residuals"], looks[0]["residuals"])
        assert np.array_equal(look["movement"], looks[0]["movement"])


def test_the_error_is_updated_between_snapshots(spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "_SECONDS_BETWEEN_MOVES", 0)
    data, _ = SPLIT
    history = cep.fit(network(), data, RULES["random"], 2, seed=4, callbacks=[cep.LiveView(1e-9)])
    first, last = spy.looks[0], spy.looks[-1]
    assert (first.epoch, first.done, first.train_error) == (1, 0, None)
    assert (last.epoch, last.done, last.train_error) == (2, 1437, history.train_error[-1])
    assert spy.moves
    for look in spy.moves:
        assert 0 <= look.errors <= look.done <= look.samples == 1437


def test_a_network_that_diverges_is_shown_until_then(spy: Spy) -> None:
    data, _ = SPLIT
    net = network()
    net.weights[1][0, 0] = np.inf
    with pytest.raises(cep.DivergenceError):
        cep.fit(net, data, RULES["ep"], 1, callbacks=[cep.LiveView()])
    assert "diverged" in spy.looks[0].diverged
    assert spy.ended == 1


@pytest.fixture
def look(spy: Spy) -> Snapshot:
    data, test = SPLIT
    rule = RULES["random"]
    cep.fit(network(), data, rule, 2, validation_data=test, seed=4, callbacks=[cep.LiveView()])
    return spy.looks[-1]


def awkward(look: Snapshot) -> Iterator[Snapshot]:
    """Snapshots with missing parts."""
    yield look
    yield dataclasses.replace(look, history=cep.History(), done=0)
    yield dataclasses.replace(look, residuals=np.zeros(26))
    yield dataclasses.replace(look, residuals=look.residuals[:20])
    yield dataclasses.replace(look, movement=[norms[:1] for norms in look.movement])
    history = dataclasses.replace(look.history, validation_error=[], validation_loss=[])
    yield dataclasses.replace(look, history=history)
    empty: list[Any] = [np.zeros(0)] * 2
    yield dataclasses.replace(
        look, residuals=np.zeros(0), free_steps=0, activity=[], movement=empty, diverged="it has"
    )


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_terminal_shows_all_of_it(look: Snapshot, width: int) -> None:
    rich_console = pytest.importorskip("rich.console")
    from cep.training.live.terminal import TerminalScreen
    from cep.training.live.terminal import view as text_of

    console = rich_console.Console(width=width, file=io.StringIO(), record=True)
    for each in awkward(look):
        console.print(text_of(each, width))
    assert max(map(len, console.export_text(clear=False).splitlines())) <= width
    console = rich_console.Console(width=width, file=io.StringIO(), record=True)
    with TerminalScreen(console) as screen:
        screen.show(look, epoch_ended=True)
    text = console.export_text()
    history = look.history
    assert "epoch 2 of 2" in text
    assert "1,437 of 1,437 samples" in text
    assert "…" not in text  # Nothing is cut.
    for title in ("error", "residual, max |Δs|", "states after the free phase"):
        assert f" {title} " in text
    assert "‖W(t) − W(0)‖ while nudged" in text
    assert f"training {history.train_error[-1]:.2%}" in text
    assert f"validation {history.validation_error[-1]:.2%}" in text
    assert f"nudged from step {look.free_steps}" in text
    for number, layer in enumerate(look.activity, start=1):
        assert f"layer {number}" in text
        assert f"mean {layer.mean():.2f}" in text
    for k, norms in enumerate(look.movement):
        assert f"connection {k}" in text
        assert f"{norms[-1]:.2e}" in text
    with TerminalScreen(console) as screen:
        screen.show(look, epoch_ended=True)
        screen.move(dataclasses.replace(look, done=77))
    assert "77 of 1,437 samples" in console.export_text()


def test_small_errors_have_place_on_the_axis(look: Snapshot) -> None:
    """It is logarithmic: errors that halve every few epochs are a straight line."""
    rich_console = pytest.importorskip("rich.console")
    from cep.training.live.terminal import view as text_of

    errors = list(np.geomspace(0.71, 0.0071, 61))
    history = cep.History(train_error=errors, train_loss=errors, seconds=errors)
    console = rich_console.Console(width=96, file=io.StringIO(), record=True)
    console.print(text_of(dataclasses.replace(look, history=history), 96))
    rows = [line.split("│")[2] for line in console.export_text().splitlines()[2:8]]
    filled = [[k for k, cell in enumerate(row) if "⠀" < cell <= "⣿"] for row in rows]
    width = max(map(max, filled)) + 1
    for number, columns in enumerate(filled):
        middle = (number + 0.5) / len(rows) * width
        assert abs(np.mean(columns) - middle) < 2
    assert rows[0] != rows[5]


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_the_terminal_is_left_clean(look: Snapshot, error: type[BaseException]) -> None:
    rich_console = pytest.importorskip("rich.console")
    from cep.training.live.terminal import TerminalScreen

    file = io.StringIO()
    console = rich_console.Console(width=100, file=file, force_terminal=True)
    before = sys.stdout, sys.stderr

    def show() -> None:
        with TerminalScreen(console) as screen:
            screen.show(look, epoch_ended=False)
            raise error

    with pytest.raises(error):
        show()
    hidden, shown = file.getvalue().rindex("\x1b[?25l"), file.getvalue().rindex("\x1b[?25h")
    assert hidden < shown
    assert (sys.stdout, sys.stderr) == before


def test_a_notebook_gets_a_picture_of_it(look: Snapshot) -> None:
    pytest.importorskip("matplotlib")
    from cep.training.live.notebook import picture

    for each in awkward(look):
        picture(each).savefig(io.BytesIO(), format="png")
    errors, residuals, activity, movement = picture(look).axes
    assert [list(line.get_ydata()) for line in errors.lines] == [
        [100 * error for error in look.history.train_error],
        [100 * error for error in look.history.validation_error],
    ]
    drawn = np.concatenate([line.get_ydata() for line in residuals.lines])
    assert np.array_equal(np.nan_to_num(drawn), look.residuals)
    assert len(activity.patches) == 2
    for line, norms in zip(movement.lines, look.movement, strict=True):
        assert np.array_equal(line.get_ydata(), norms)


NOTEBOOK = """
import cep
data, test = cep.datasets.split(cep.datasets.digits(), 360)
net = cep.Network([64, 32, 10], seed=0)
rule = cep.CEP(20, 6, 0.5, learning_rates=[0.03, 0.008])
history = cep.fit(net, data, rule, 3, validation_data=test, seed=0, callbacks=[cep.LiveView()])
"""


@pytest.mark.slow
def test_in_a_notebook_one_picture_is_drawn_anew() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("matplotlib")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    updates: list[dict[str, Any]] = []
    handle = client.process_message

    def process_message(message: Any, cell: Any, index: int) -> Any:
        if message["msg_type"] == "update_display_data":
            updates.append(message)
        return handle(message, cell, index)

    client.process_message = process_message
    client.execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert output.data["image/png"] == updates[-1]["content"]["data"]["image/png"]
    assert len(updates) >= 3


def test_a_line_says_what_diverged(look: Snapshot) -> None:
    from cep.training.live.screens import line

    diverged = line(dataclasses.replace(look, diverged="the free phase diverged"))
    assert diverged.endswith("the free phase diverged")
    assert "residual" in line(look)


def test_elsewhere_an_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    data, test = SPLIT
    history = cep.fit(
        network(), data, RULES["ep"], 2, validation_data=test, seed=4, callbacks=[cep.LiveView()]
    )
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 2
    for number, (line, error) in enumerate(zip(lines, history.validation_error, strict=True), 1):
        assert line.startswith(f"epoch {number}: ")
        assert f"validation error {error:.2%}" in line
        assert "weights move by" in line


def test_cep_train_has_it() -> None:
    arguments = ["train", "--epochs", "2", "--hidden", "16", "--live"]
    with_view = CliRunner().invoke(command, arguments)
    without = CliRunner().invoke(command, [*arguments[:-1], "--no-progress"])
    assert with_view.exit_code == without.exit_code == 0
    assert with_view.stderr.count("weights move by") == 2

    def errors(output: str) -> list[str]:
        return [line[:46] for line in output.splitlines() if line.startswith("    ")]

    assert errors(with_view.stdout) == errors(without.stdout)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(0, ValueError), (-1, ValueError), (float("nan"), ValueError), ("1", TypeError)],
)
def test_invalid_seconds(seconds: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seconds"):
        cep.LiveView(seconds)


def test_a_terminal_without_rich_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, "cep.training.live.terminal", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    net = network()
    before = net.copy()
    with pytest.raises(ImportError, match=r"needs rich: .*\[live\]"):
        cep.fit(net, SPLIT[0], RULES["ep"], 1, callbacks=[cep.LiveView()])
    assert equal(net, before)


OFF = """
import sys
import numpy as np
import cep
from cep.training.live import view
view.screen_here = None
net = cep.Network([4, 3, 2], seed=0)
assert net._observer is None
cep.fit(net, (np.zeros((4, 4)), [0, 1, 0, 1]), cep.EP(3, 2, 0.5, 0.1), 1, progress=False)
print(sorted({"rich", "matplotlib", "IPython"} & set(sys.modules)))
"""


def test_nothing_of_it_is_there_when_off() -> None:
    result = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
