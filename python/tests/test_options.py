"""Options: every one of networks, rules and optimizers is one of configurations and commands."""

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import cep
from cep.cli import cep as command
from cep.experiments.configuration import OPTIONS, RULES

pytestmark = pytest.mark.once

# Arguments that a configuration has under another name, or makes of several options.
ELSEWHERE = {
    cep.Network: {"sizes": "hidden", "neurons": "state_noise"},
    cep.RBP: {"tolerance": "rbp_tolerance"},
}
OWNERS = (cep.Network, cep.EP, cep.CEP, cep.BPTT, cep.RBP, cep.SGD, cep.Adam, cep.hardware.Neurons)


@pytest.mark.parametrize("owner", OWNERS)
def test_every_argument_is_an_option(owner: type) -> None:
    for name in inspect.signature(owner).parameters:
        option = OPTIONS[ELSEWHERE.get(owner, {}).get(name, name)]
        assert option.command is not None
        # Described, in a sentence.
        assert option.summary.endswith(".")
        assert option.name in str(cep.Configuration.__doc__)


# Options with a value that is not the default, and what else it takes to have an effect.
UNTIED = ("--feedback", "untied")
ADAM, RBP = ("--optimizer", "adam"), ("--rule", "rbp")
GIVEN: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "activation": ("tanh,hard_sigmoid", ("tanh", "hard_sigmoid"), ()),
    "dt": ("0.1", 0.1, ("--setting", "real-time")),
    "follows_energy": ("", True, ("--setting", "real-time")),
    "connections": ("0-2", ("0-2",), ("--learning-rates", "0.1")),
    "rbp_tolerance": ("1e-3", 1e-3, RBP),
    "max_iterations": ("500", 500, RBP),
    "last_steps": ("3", 3, ("--rule", "bptt")),
    "write_every_step": ("", True, ("--rule", "c-ep")),
    "accumulate": ("", True, ("--rule", "ep")),
    "beta1": ("0.8", 0.8, ADAM),
    "beta2": ("0.9", 0.9, ADAM),
    "epsilon": ("1e-6", 1e-6, ADAM),
    "weight_decay": ("1e-4,0", (1e-4, 0.0), ()),
    "bias_learning_rates": ("0,0.1", (0.0, 0.1), ()),
    "feedback_learning_rates": ("0", (0.0, 0.0), UNTIED),
    "learning_rate_schedule": ("2:0.5", ((2, 0.5),), ()),
    "diagnostics_kinds": ("energy", ("energy",), ("--diagnostics-every", "50")),
    "state_bits": ("6", 6, ()),
    "synapses": ("ecram,ideal", None, ()),
}


def train(*arguments: object) -> Any:
    small = ("--hidden", "6", "--epochs", "1", "--free-steps", "5", "--no-progress")
    return CliRunner().invoke(command, ["train", *small, *map(str, arguments)])


@pytest.mark.parametrize("name", GIVEN)
def test_an_option_reaches_the_configuration(name: str, tmp_path: Path) -> None:
    word, value, others = GIVEN[name]
    given = [str(OPTIONS[name].command), *([word] if word else [])]
    result = train(*given, *others, "--run-dir", tmp_path / "run")
    assert result.exit_code == 0, result.output
    configuration = cep.RunDirectory(tmp_path / "run").configuration()
    found = getattr(configuration, name)
    assert found != OPTIONS[name].default
    assert found == value or value is None
    if (owner := OPTIONS[name].owner) is not None and name != "synapses":
        made = configuration.make_network().options | vars(configuration.make_rule())
        made |= vars(configuration.make_optimizer())
        reached = made.get(OPTIONS[name].target, value)
        assert reached == value or reached == ((0, 2),), owner


def test_rbp_gives_the_gradient_at_the_steady_state() -> None:
    """Where the steady state is reached it is that of BPTT through many steps."""
    x, y = np.random.default_rng(0).random((3, 5)), [0, 1, 1]
    configuration = cep.Configuration(
        data="mine", inputs=5, classes=2, hidden=[4], rule="rbp", free_steps=300, dtype="float64",
        learning_rates=0.1,
    )  # fmt: skip
    net = configuration.make_network()
    exact = cep.gradient(net, x, y, configuration.replace(rule="bptt").make_rule())
    found = cep.gradient(net, x, y, configuration.replace(rbp_tolerance=1e-12).make_rule())
    np.testing.assert_allclose(found.flatten(), exact.flatten(), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rule", "bptt", "--beta", "0.3"), "--beta has no effect, as rule is 'bptt'"),
        (("--rule", "rbp", "--nudged-steps", "4"), "as rule is 'rbp'"),
        (("--momentum", "0", *ADAM), "--momentum has no effect, as optimizer is 'adam'"),
        (("--dt", "0.1"), "--dt has no effect, as setting is 'prototypical'"),
        (("--no-clamp",), "--clamp has no effect"),
        (("--feedback-angle", "20"), "as feedback is 'tied'"),
        (("--asymmetry", "exact"), "as feedback is 'tied'"),
        (("--read-noise-every", "phase"), "as read_noise is 0.0"),
        (("--diagnostics", "energy"), "--diagnostics has no effect, as diagnostics_every is None"),
        (("--data-root", "."), "data_root has no effect on 'digits'"),
        (("--data", "wine", "--data-root", "."), "data_root has no effect on 'wine'"),
    ],
)
def test_an_option_without_effect_is_refused(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    result = train(*arguments, "--run-dir", tmp_path / "run")
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.stderr.split())
    assert "leave it out" in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_other_commands_refuse_them_too(tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        result = CliRunner().invoke(command, list(arguments))
        assert result.exit_code in (1, 2)
        return " ".join(result.stderr.split())

    assert "--dt has no effect" in refused("gdu", "--dt", "0.1")
    assert "data_root has no effect" in refused("gdu", "--data-root", ".")
    sweep = ("sweep", "--run-dir", str(tmp_path / "sweep"), "--jobs", "1")
    assert "dt has no effect" in refused(*sweep, "--param", "dt=0.1,0.2")
    rules = (*sweep, "--param", "rule=bptt,rbp")
    assert "--beta has no effect" in refused(*rules, "--beta", "0.3")
    root = refused("reproduce", "--figure", "hardware", "--data-root", ".")
    assert "--data-root has no effect" in root
    with pytest.raises(ValueError, match="data_root has no effect on 'digits'"):
        cep.run(cep.Configuration(), data_root=tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_an_option_may_have_an_effect_in_some_runs_of_a_sweep(tmp_path: Path) -> None:
    arguments = ("--hidden", "6", "--free-steps", "5", "--nudged-steps", "2", "--epochs", "1")
    result = CliRunner().invoke(
        command,
        ["sweep", *arguments, "--run-dir", str(tmp_path), "--param", "rule=ep,bptt,rbp", "--jobs",
         "1", "--no-progress"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output


def test_configurations_of_earlier_versions_are_read() -> None:
    """Files of the first version, and of those before there was validation data."""
    values = cep.Configuration(epochs=7).to_dict()
    first = dict(list(values.items())[: list(values).index("loss")])
    assert cep.Configuration.from_dict(first) == cep.Configuration(
        epochs=7, validation_fraction=0, test_every_epoch=True
    )
    second = {name: values[name] for name in values if name not in ("connections", "epsilon")}
    assert cep.Configuration.from_json(json.dumps(second)) == cep.Configuration(epochs=7)


def test_images_are_augmented_for_dense_layers_too(tmp_path: Path) -> None:
    """Shifted by hand they are the same."""
    configuration = cep.Configuration(crop=1)
    images = cep.datasets.digits()[0][:5]
    found = configuration.augment(images, np.random.default_rng(0))
    squares = images.reshape(-1, 1, 8, 8)
    expected = cep.datasets.augment(squares, crop=1, seed=np.random.default_rng(0))
    np.testing.assert_array_equal(found, expected.reshape(5, 64))
    assert train("--crop", "1").exit_code == 0


@pytest.mark.parametrize("rule", RULES)
def test_options_of_one_rule_only(rule: str) -> None:
    values = {"ep": ("accumulate", True), "c-ep": ("write_every_step", True)}
    values |= {"bptt": ("last_steps", 2), "rbp": ("max_iterations", 9)}
    for owner, (name, value) in values.items():
        changes: dict[str, Any] = {"rule": rule, name: value}
        if rule == owner:
            assert getattr(cep.Configuration(**changes).make_rule(), name) == value
        else:
            with pytest.raises(ValueError, match=f"{name} belongs to the rule '{owner}'"):
                cep.Configuration(**changes)
