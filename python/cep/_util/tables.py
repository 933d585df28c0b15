"""Tables of text."""

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Headings and rows as lines of text, in columns.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
    width : int, optional
        Of the terminal: columns for which a line has no place follow below, in a table that begins
        with the first column again. Default: lines of any length.
    """
    columns = list(zip(headings, *rows, strict=True))
    blocks = [columns[:1]]
    for column in columns[1:]:
        if width is not None and len(blocks[-1]) > 1 and _width([*blocks[-1], column]) > width:
            blocks.append(columns[:1])
        blocks[-1].append(column)
    return "\n\n".join(map(_lines, blocks))


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) + 2 for column in columns) - 2


def _lines(columns: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    )
