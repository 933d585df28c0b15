"""Networks are copied and pickled completely: a copy continues as the original would."""

import copy
import inspect
import multiprocessing
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from snapshot import fingerprint, parameters, same, states

import cep

X = np.random.default_rng(0).random((5, 4))
LABELS = [0, 1, 0, 1, 1]
# Draws a sign of β in every batch, from the network's own stream.
RULE = cep.EP(6, 4, 0.5, 0.3, beta_sign="random")

NETWORKS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "everything else": {
        "setting": "real-time",
        "activation": "tanh",
        "feedback": "untied",
        "dtype": "float64",
        "dt": 0.3,
        "clamp": False,
        "feedback_angle": 40.0,
        "relaxation": "alternating",
        "tolerance": 1e-7,
    },
    "with an energy": {"setting": "real-time", "follows_energy": True},
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda net, protocol=protocol: pickle.loads(
            pickle.dumps(net, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


def trained(**options: Any) -> cep.Network:
    """A trained network that has drawn random numbers and has states."""
    net = cep.Network([4, 6, 3, 2], **{"seed": 3, **options})
    for _ in range(3):
        cep.train_batch(net, X, LABELS, RULE)
    net.states[1][2] += 0.01
    return net


def assert_continue_alike(first: cep.Network, second: cep.Network) -> None:
    """Nudge from the present states, then train with random signs; compare bit for bit."""
    assert fingerprint(first) == fingerprint(second)
    for _ in range(2):
        first.nudged_phase(LABELS, 0.3, 2)
        second.nudged_phase(LABELS, 0.3, 2)
        assert fingerprint(first) == fingerprint(second)
    before = fingerprint(first)
    for _ in range(12):
        cep.train_batch(first, X, LABELS, RULE)
        cep.train_batch(second, X, LABELS, RULE)
    assert fingerprint(first) == fingerprint(second) != before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_a_copy_continues_as_the_original(way: str, options: dict[str, Any]) -> None:
    net = trained(**options)
    other = WAYS[way](net)
    assert type(other) is cep.Network
    assert (other.sizes, other.options) == (net.sizes, net.options)
    assert other.random_state == net.random_state != net.like().random_state
    assert_continue_alike(net, other)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_has_memory_of_its_own(way: str) -> None:
    net = trained()
    other = WAYS[way](net)
    before = fingerprint(net)
    for array in (*other.parameters(), *other.states):
        array += 1
    assert fingerprint(net) == before
    assert fingerprint(other) != before


@pytest.mark.parametrize("way", WAYS)
def test_a_network_without_states_stays_so(way: str) -> None:
    net = cep.Network([4, 6, 2], seed=2**64 - 1)
    other = WAYS[way](net)
    assert states(other) == []
    assert fingerprint(other) == fingerprint(net)
    assert other.seed == 2**64 - 1


@pytest.mark.parametrize("way", WAYS)
def test_parameters_of_any_value_are_copied(way: str) -> None:
    """A phase diverges with these values, so copying must not run one with them."""
    net = cep.Network([4, 6, 2], activation="tanh", seed=0)
    net.free_phase(X, 2)
    net.weights[0][...] = np.nan
    net.biases[1][...] = np.inf
    with pytest.raises(cep.DivergenceError):
        net.copy().free_phase(X, 2)
    assert fingerprint(WAYS[way](net)) == fingerprint(net)


class Named(cep.Network):
    """A subclass with its own arguments and attributes."""

    def __init__(self, name: str, notes: list[str]) -> None:
        super().__init__([4, 6, 2], seed=1)
        self.name = name
        self.notes = notes


@pytest.mark.parametrize("way", WAYS)
def test_subclasses_keep_their_attributes(way: str) -> None:
    net = Named("first", ["a note"])
    cep.train_batch(net, X, LABELS, RULE)
    other = WAYS[way](net)
    assert type(other) is Named
    assert (other.name, other.notes) == ("first", ["a note"])
    assert (other.notes is net.notes) is (way == "copy")
    assert_continue_alike(net, other)
    assert "Named" in repr(net)


def test_references_to_one_network_stay_one() -> None:
    net = trained()
    for pair in (copy.deepcopy([net, net]), pickle.loads(pickle.dumps([net, net]))):
        assert pair[0] is pair[1]
        assert pair[0] is not net


def test_parameters_may_travel_beside_the_pickle() -> None:
    """Protocol 5 passes their present values without a copy in the pickle."""
    net = trained()
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(net, 5, buffer_callback=buffers.append)
    views = [np.frombuffer(buffer.raw(), np.float32) for buffer in buffers]
    for array in (*net.parameters(), *net.states):
        assert any(np.array_equal(array.ravel(), view) for view in views)
    assert_continue_alike(net, pickle.loads(content, buffers=[bytes(b.raw()) for b in buffers]))


def train_there(net: cep.Network) -> cep.Network:
    for _ in range(5):
        cep.train_batch(net, X, LABELS, RULE)
    return net


def test_networks_go_to_another_process_and_back() -> None:
    net = trained(feedback="untied")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        back = pool.apply(train_there, (net,))
    assert_continue_alike(train_there(net), back)


def test_lists_of_arrays_are_copied_as_lists() -> None:
    net = trained()
    kept = parameters(net)[:3]
    for copied in (copy.deepcopy(net.weights), pickle.loads(pickle.dumps(net.weights))):
        assert isinstance(copied, list)
        assert same(copied, kept)
        copied[0][...] = 7
        assert same(parameters(net)[:3], kept)
    untied = cep.Network([4, 3, 2], feedback="untied")
    assert copy.deepcopy(untied.feedback_weights)[0] is None


@contextmanager
def busy() -> Iterator[cep.Network]:
    """A network that another thread is training; its progress function pauses it."""
    net = cep.Network([4, 6, 2], seed=0)
    training, done = threading.Event(), threading.Event()

    def hold(*arguments: Any) -> None:
        training.set()
        done.wait(60)

    rule = RULE._for_engine(2)
    x, y = np.float32(np.tile(X, (20000, 1))), np.tile(np.array(LABELS), 20000)
    work = (x, y, rule, 5, 0, (0, 0, 0, 0.0), hold)
    thread = threading.Thread(target=net._engine.train_epoch, args=work)
    thread.start()
    try:
        assert training.wait(60)
        yield net
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("way", WAYS)
def test_a_network_in_use_is_not_copied(way: str) -> None:
    with busy() as net, pytest.raises(RuntimeError, match="in use by another thread"):
        WAYS[way](net)


def test_a_network_in_use_is_not_saved_but_described(tmp_path: Any) -> None:
    with busy() as net:
        with pytest.raises(RuntimeError, match="in use by another thread"):
            net.save(tmp_path / "net")
        assert list(tmp_path.iterdir()) == []
        assert "4-6-2" in repr(net)
        assert "4-6-2" in net._repr_html_()


def test_networks_are_compared_by_identity_and_described_by_values() -> None:
    first, second = (cep.Network([4, 3, 2], seed=1, dtype=np.float64) for _ in range(2))
    assert first == first
    assert first != second
    assert len({first, second}) == 2
    assert first.options == second.options
    assert first.options != cep.Network([4, 3, 2], seed=2, dtype="float64").options
    made = cep.Network(first.sizes, **first.options)
    assert fingerprint(made) == fingerprint(first)


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_options_are_the_arguments(options: dict[str, Any]) -> None:
    """All constructor arguments except the sizes: the given ones and the defaults."""
    parameters_of_it = inspect.signature(cep.Network).parameters
    defaults = {name: each.default for name, each in parameters_of_it.items() if name != "sizes"}
    assert cep.Network([4, 6, 2], **{"seed": 3, **options}).options == {
        **defaults,
        "seed": 3,
        **options,
    }
    assert set(cep.NetworkOptions.__annotations__) == set(defaults)


def test_options_are_a_copy() -> None:
    net = cep.Network([4, 3, 2], seed=1)
    net.options["seed"] = 5
    assert net.options["seed"] == net.seed == 1


VALUES: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (lambda **o: cep.Configuration(**o), {"seed": 3}),
    (lambda **o: cep.EP(5, 3, 0.5, [0.1, 0.2], **o), {"accumulate": True}),
    (lambda **o: cep.CEP(5, 3, 0.5, 0.1, **o), {"beta_sign": "random"}),
    (lambda **o: cep.BPTT(5, **o), {"last_steps": 2}),
    (lambda **o: cep.RBP(5, **o), {"tolerance": 0.1}),
    (lambda **o: cep.History([0.5], **o), {"seconds": [1.0]}),
]


@pytest.mark.parametrize(("make", "changes"), VALUES)
@pytest.mark.parametrize("way", WAYS)
def test_configurations_rules_and_histories_are_values(
    make: Callable[..., Any], changes: dict[str, Any], way: str
) -> None:
    value = make()
    assert value == make() == WAYS[way](value)
    assert make(**changes) == WAYS[way](make(**changes)) != value
    if not isinstance(value, cep.History):  # A history grows.
        assert len({value, make(), make(**changes)}) == 2
