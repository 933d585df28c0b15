"""The notebook display of a network: a small drawing of its layers, and a table."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

# As in `cep.plots`: colours for colour-blind readers, on light and dark pages.
_FORWARD, _FEEDBACK = "#0072B2", "#D55E00"

# Pixels.
_COLUMN, _ROW, _RADIUS, _HEIGHT = 88, 17, 5, 168
_MIDDLE = 76
# The maximum number of units drawn; of larger layers, the outer ones and dots between them.
_MOST_UNITS = 7
# Of a feature map: its side, the maximum number of channels drawn, and their offset.
_SIDE, _MOST_CHANNELS, _SHIFT = 44, 4, 5

_Shape = tuple[int, ...]


def html(shapes: Sequence[_Shape], parameter_count: int, options: Mapping[str, Any]) -> str:
    """A drawing and a table as self-contained HTML.

    Parameters
    ----------
    shapes : sequence of tuple of int
        The shape of each layer, input first: units, or channels, height and width.
    parameter_count : int
        The number of all parameters.
    options : mapping
        The other rows of the table, by name, including "feedback".
    """
    page = Element("div", style="display:flex; flex-wrap:wrap; gap:1.5em; align-items:center")
    page.append(_drawing(shapes, untied=options["feedback"] == "untied"))
    rows = {"layers": summary(shapes), "parameters": f"{parameter_count:,}", **options}
    page.append(_table(rows))
    return ElementTree.tostring(page, encoding="unicode", method="html")


def summary(shapes: Sequence[_Shape]) -> str:
    """Layers in short form: units, or channels × height × width, joined by dashes."""
    return "-".join("×".join(map(str, shape)) for shape in shapes)


def _drawing(shapes: Sequence[_Shape], *, untied: bool) -> Element:
    width = _COLUMN * len(shapes)
    labels = ["×".join(map(str, shape)) for shape in shapes]
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(width),
            "height": str(_HEIGHT),
            "viewBox": f"0 0 {width} {_HEIGHT}",
            "role": "img",
            "aria-label": f"network of {len(shapes)} layers: {', '.join(labels)} units",
            "style": "max-width:100%; font:12px sans-serif",
            "fill": "currentColor",
        },
    )
    for k, (below, above) in enumerate(itertools.pairwise(shapes)):
        _draw_connection(svg, k, below, above, untied=untied and k > 0)
    for layer, shape in enumerate(shapes):
        draw = _draw_map if len(shape) > 1 else _draw_units
        draw(svg, _center(layer), shape)
        _write(svg, _center(layer), _HEIGHT - 20, labels[layer]).set("font-weight", "bold")
        _write(svg, _center(layer), _HEIGHT - 5, _name(layer, len(shapes)))
    return svg


def _draw_connection(svg: Element, k: int, below: _Shape, above: _Shape, *, untied: bool) -> None:
    """Lines, and above them the directions in which they are used."""
    left, right = _center(k), _center(k + 1)
    ends = itertools.product(_heights(below), _heights(above))
    lines = "".join(f"M{left} {start:g}L{right} {end:g}" for start, end in ends)
    thin = {"d": lines, "fill": "none", "stroke-width": "0.6", "stroke-opacity": "0.6"}
    SubElement(svg, "path", thin, stroke=_FORWARD)
    if untied:
        SubElement(svg, "path", {**thin, "stroke-dasharray": "4 6"}, stroke=_FEEDBACK)
    middle = (left + right) / 2
    _write(svg, middle, 14, "→" if k == 0 else "⇄")


def _draw_map(svg: Element, x: float, shape: _Shape) -> None:
    """Channels behind each other."""
    channels = min(shape[0], _MOST_CHANNELS)
    for k in range(channels):
        offset = _SHIFT * ((channels - 1) / 2 - k)
        SubElement(
            svg,
            "rect",
            x=f"{x + offset - _SIDE / 2:g}",
            y=f"{_MIDDLE - offset - _SIDE / 2:g}",
            width=f"{_SIDE}",
            height=f"{_SIDE}",
            fill=_FORWARD,
            stroke="white",
        )


def _draw_units(svg: Element, x: float, shape: _Shape) -> None:
    units = math.prod(shape)
    for y in _heights(shape):
        SubElement(svg, "circle", cx=f"{x}", cy=f"{y:g}", r=f"{_RADIUS}", fill=_FORWARD)
    if units > _MOST_UNITS:
        for y in (_MIDDLE - 5, _MIDDLE, _MIDDLE + 5):
            SubElement(svg, "circle", cx=f"{x}", cy=f"{y}", r="1.3")


def _heights(shape: _Shape) -> list[float]:
    """The heights of the drawn units of a layer, or of the edges of a feature map."""
    if len(shape) > 1:
        return [_MIDDLE - _SIDE / 2, _MIDDLE + _SIDE / 2]
    units = math.prod(shape)
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
