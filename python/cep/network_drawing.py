"""What a notebook shows of a network: a small drawing of its layers, and a table."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

# As in `cep.plots`: colours that colour-blind readers can tell apart, on light and dark pages.
_FORWARD, _FEEDBACK = "#0072B2", "#D55E00"

# Pixels.
_COLUMN, _ROW, _RADIUS, _HEIGHT = 88, 17, 5, 168
_MIDDLE = 76
# Units drawn of a layer; of one that has more, the outer ones and dots between them.
_MOST_UNITS = 7


def html(sizes: Sequence[int], parameter_count: int, options: Mapping[str, Any]) -> str:
    """A drawing and a table as HTML that stands for itself.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer, input first.
    parameter_count : int
        Of all parameters.
    options : mapping
        What else the table has, by name; among it "feedback".
    """
    page = Element("div", style="display:flex; flex-wrap:wrap; gap:1.5em; align-items:center")
    page.append(_drawing(sizes, untied=options["feedback"] == "untied"))
    rows = {"layers": "-".join(map(str, sizes)), "parameters": f"{parameter_count:,}", **options}
    page.append(_table(rows))
    return ElementTree.tostring(page, encoding="unicode", method="html")


def _drawing(sizes: Sequence[int], *, untied: bool) -> Element:
    width = _COLUMN * len(sizes)
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(width),
            "height": str(_HEIGHT),
            "viewBox": f"0 0 {width} {_HEIGHT}",
            "role": "img",
            "aria-label": f"network of {len(sizes)} layers: {', '.join(map(str, sizes))} units",
            "style": "max-width:100%; font:12px sans-serif",
            "fill": "currentColor",
        },
    )
    for k, (below, above) in enumerate(itertools.pairwise(sizes)):
        _draw_connection(svg, k, below, above, untied=untied and k > 0)
    for layer, units in enumerate(sizes):
        _draw_layer(svg, _center(layer), units, _name(layer, len(sizes)))
    return svg


def _draw_connection(svg: Element, k: int, below: int, above: int, *, untied: bool) -> None:
    """Lines, and above them in which directions they are used."""
    left, right = _center(k), _center(k + 1)
    ends = itertools.product(_heights(below), _heights(above))
    lines = "".join(f"M{left} {start:g}L{right} {end:g}" for start, end in ends)
    thin = {"d": lines, "fill": "none", "stroke-width": "0.6", "stroke-opacity": "0.6"}
    SubElement(svg, "path", thin, stroke=_FORWARD)
    if untied:
        SubElement(svg, "path", {**thin, "stroke-dasharray": "4 6"}, stroke=_FEEDBACK)
    middle = (left + right) / 2
    _write(svg, middle, 14, "→" if k == 0 else "⇄")


def _draw_layer(svg: Element, x: float, units: int, name: str) -> None:
    for y in _heights(units):
        SubElement(svg, "circle", cx=f"{x}", cy=f"{y:g}", r=f"{_RADIUS}", fill=_FORWARD)
    if units > _MOST_UNITS:
        for y in (_MIDDLE - 5, _MIDDLE, _MIDDLE + 5):
            SubElement(svg, "circle", cx=f"{x}", cy=f"{y}", r="1.3")
    _write(svg, x, _HEIGHT - 20, str(units)).set("font-weight", "bold")
    _write(svg, x, _HEIGHT - 5, name)


def _heights(units: int) -> list[float]:
    """Of the units that are drawn of a layer."""
    if units > _MOST_UNITS:
        half = _MOST_UNITS // 2
        return [_MIDDLE + _ROW * k for k in range(-half, half + 1) if k]
    return [_MIDDLE + _ROW * (k - (units - 1) / 2) for k in range(units)]


def _center(layer: int) -> float:
    return _COLUMN * (layer + 0.5)


def _name(layer: int, layers: int) -> str:
    if layer in (0, layers - 1):
        return "output" if layer else "input"
    return "hidden" if layers == 3 else f"hidden {layer}"


def _write(svg: Element, x: float, y: float, text: str) -> Element:
    element = SubElement(svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": "middle"})
    element.text = text
    return element


def _table(rows: Mapping[str, Any]) -> Element:
    table = Element("table")
    for name, value in rows.items():
        row = SubElement(table, "tr")
        SubElement(row, "th", style="text-align:left").text = name
        SubElement(row, "td", style="text-align:left").text = str(value)
    return table
