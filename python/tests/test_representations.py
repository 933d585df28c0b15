"""Representations of objects."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import cep
from cep.network import drawing as network_drawing

SVG = "{http://www.w3.org/2000/svg}"
X = np.random.default_rng(0).random((5, 4))


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("sizes", [(4, 3, 2), (7, 5, 6, 4, 3), (1, 1, 1)])
def test_parameters_are_counted(sizes: tuple[int, ...], feedback: str) -> None:
    net = cep.Network(sizes, feedback=feedback)
    assert net.parameter_count == sum(array.size for array in net.parameters())
    assert f"{net.parameter_count} parameters" in repr(net)


def test_a_representation_is_one_line() -> None:
    net = cep.Network([784, 512, 10], seed=0)
    assert "784-512-10, 407050 parameters" in repr(net)
    assert "\n" not in repr(net)
    assert repr(net).startswith("<cep.Network")


def test_states_that_are_not_there_can_be_shown() -> None:
    net = cep.Network([4, 3, 2])
    assert "3 arrays" in repr(net.states)
    assert "run a free phase first" in repr(net.states)
    net.free_phase(X, 1)
    assert repr(net.states[2]) in repr(net.states)


def test_results_show_numbers_and_no_arrays() -> None:
    net = cep.Network([4, 30, 2], seed=0)
    labels = [0, 1, 1, 0, 1]
    estimate = cep.gradient(net, X, labels, cep.BPTT(5))
    report = cep.gdu_check(net, X, labels, free_steps=40, nudged_steps=3, beta=0.01)
    for result, words in ((estimate, f"loss={estimate.loss}"), (report, "relative_error")):
        assert words in repr(result)
        assert "array" not in repr(result)


def drawn(net: cep.Network) -> tuple[ElementTree.Element, ElementTree.Element]:
    """The picture and the table, which must be well-formed."""
    page = ElementTree.fromstring(net._repr_html_())
    picture, table = page.find(f"{SVG}svg"), page.find("table")
    assert picture is not None
    assert table is not None
    return picture, table


@pytest.mark.parametrize(
    "sizes", [(4, 3, 2), (784, 512, 10), (1, 1, 1), (5, 6, 7, 8, 9), (3,) * 30, (10**6, 8, 7)]
)
def test_the_drawing_has_every_layer_with_its_size(sizes: tuple[int, ...]) -> None:
    page = ElementTree.fromstring(
        network_drawing.html([(n,) for n in sizes], 12345, {"feedback": "tied", "seed": 7})
    )
    picture = page.find(f"{SVG}svg")
    assert picture is not None
    texts = [element.text for element in picture.iter(f"{SVG}text")]
    columns = len(sizes)
    assert [t for t in texts if t and t.isdigit()] == [str(units) for units in sizes]
    assert (texts.count("→"), texts.count("⇄")) == (1, columns - 2)
    assert texts.count("input") == texts.count("output") == 1
    assert sum(str(text).startswith("hidden") for text in texts) == columns - 2
    units = [c for c in picture.iter(f"{SVG}circle") if float(c.get("r", 0)) > 2]
    assert len(units) == sum(min(size, 7) if size <= 7 else 6 for size in sizes)


def test_everything_is_drawn_within_the_picture() -> None:
    picture, _ = drawn(cep.Network([300, 7, 2, 20]))
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    for circle in picture.iter(f"{SVG}circle"):
        x, y, r = (float(circle.get(name, "nan")) for name in ("cx", "cy", "r"))
        assert r <= x <= width - r
        assert r <= y <= height - r
    for path in picture.iter(f"{SVG}path"):
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_lines_join_units_of_neighbours() -> None:
    picture, _ = drawn(cep.Network([3, 2, 4]))
    first, second = (path.get("d", "") for path in picture.iter(f"{SVG}path"))
    assert (first.count("L"), second.count("L")) == (3 * 2, 2 * 4)
    circles = {(c.get("cx"), c.get("cy")) for c in picture.iter(f"{SVG}circle")}
    ends = set(re.findall(r"[ML]([\d.]+) ([\d.]+)", first + second))
    assert {(float(x), float(y)) for x, y in ends} == {
        (float(str(x)), float(str(y))) for x, y in circles
    }


def test_untied_feedback_is_drawn_apart() -> None:
    counts = []
    for feedback in ("tied", "untied"):
        picture, _ = drawn(cep.Network([3, 2, 2, 4], feedback=feedback))
        counts.append(len(list(picture.iter(f"{SVG}path"))))
    assert counts == [3, 3 + 2]


def test_the_table_has_what_the_representation_has() -> None:
    net = cep.Network(
        [4, 3, 2], setting="real-time", dt=0.08, clamp=False, feedback="untied", seed=12
    )
    _, table = drawn(net)
    rows = {row[0].text: row[1].text for row in table.iter("tr")}
    assert rows["layers"] == "4-3-2"
    assert rows["parameters"] == str(net.parameter_count)
    for name in ("setting", "activation", "dt", "clamp", "feedback", "dtype", "seed"):
        assert rows[name] == str(net.options[name])  # type: ignore[literal-required]
        assert f"{name}=" in repr(net)


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    page = ElementTree.fromstring(cep.Network([4, 3, 2])._repr_html_())
    for element in page.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "image", "link", "style", "a", "use"}
        for name, value in element.items():
            assert not name.startswith("on")
            assert "url(" not in value
            assert "href" not in name


def test_what_is_shown_is_escaped() -> None:
    text = network_drawing.html([(4,), (3,), (2,)], 1, {"feedback": "<b>&\"'</b>"})
    assert "<b>" not in text
    rows = ElementTree.fromstring(text).iter("td")
    assert "<b>&\"'</b>" in [cell.text for cell in rows]


def test_a_drawing_is_small() -> None:
    assert len(cep.Network([784, 512, 512, 10])._repr_html_()) < 10_000
