"""The directive ``c-header``: a C header as reference, section by section.

Sections of the header begin with ``/* ---- 1. Title ---- */``. They consist of blocks, separated by
empty lines, each with a comment and declarations. Indented lines of a comment are shown verbatim.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.rst import escape

SECTION = re.compile(r"^/\* -+ (\d+\. .+?) -+ \*/$", re.MULTILINE)
COMMENT = re.compile(r"\s*/\*(.*?)\*/\s*", re.DOTALL)
CONSTANT = re.compile(r"^#define (\w+)|^enum \{ (\w+)", re.MULTILINE)
FUNCTION = re.compile(r"^\w[\w *]*\bcep_\w+\([^;{]*\);", re.MULTILINE)
TYPE = re.compile(r"^typedef .*?(\w+);$|^\} (\w+);$|^typedef \w+ \(\*(\w+)\)\(", re.MULTILINE)


class CHeader(SphinxDirective):
    """All sections of a header. The argument is its path in the repository."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the introduction of the header and its sections."""
        path = Path(self.env.srcdir).parent / self.arguments[0]
        self.env.note_dependency(path)
        head, *parts = SECTION.split(path.read_text())
        introduction = COMMENT.match(head)
        if introduction is None or not parts:
            raise ExtensionError(f"{path} does not have the layout of cep.h")
        # Lists are indented in the header. reStructuredText needs their marks in one column.
        text = re.sub(r"^ \* ?", "", introduction[1].strip("\n"), flags=re.MULTILINE)
        text = re.sub(r"^ +(\d+\.|-) ", r"    \1 ", text, flags=re.MULTILINE)
        found = self.parse_text_to_nodes(text)
        # The last declaration is followed by the closing lines of the header.
        parts[-1] = parts[-1].partition("\n#ifdef __cplusplus")[0]
        for title, body in zip(parts[::2], parts[1::2], strict=True):
            section = nodes.section(ids=[nodes.make_id(title)])
            section += nodes.title(title, title)
            for block in re.split(r"\n{2,}", body.strip()):
                section += self.parse_text_to_nodes("\n".join(entry(block)))
            found.append(section)
        return found


def entry(block: str) -> Iterator[str]:
    """The declarations of a block, in reStructuredText."""
    comment = COMMENT.match(block)
    code = block[comment.end() :] if comment else block
    if functions := FUNCTION.findall(code):
        heads = [" ".join(function.rstrip(";").split()) for function in functions]
        heads = [head.removeprefix("CEP_API ") for head in heads]
        kind, shown = "function", ""
    else:
        names = [next(filter(None, match.groups())) for match in TYPE.finditer(code)]
        macros = [next(filter(None, match.groups())) for match in CONSTANT.finditer(code)]
        heads, kind, shown = names or macros, "type" if names else "macro", code
    if not code.strip() and comment:
        yield from paragraphs(comment[1], indentation="")
        return
    if not heads or (functions and len(functions) != code.count(";")):
        raise ExtensionError(f"the C header has an unknown kind of block:\n{block}")
    yield f".. c:{kind}:: {heads[0]}"
    yield from (f"              {head}" for head in heads[1:])
    yield ""
    if comment:
        yield from paragraphs(comment[1], indentation="   ")
    if shown:
        yield from ("   .. code-block:: c", "", *(f"      {line}" for line in shown.splitlines()))
    yield ""


def paragraphs(comment: str, indentation: str) -> Iterator[str]:
    """The text of a comment in reStructuredText, its indented lines as literal blocks."""
    lines = [re.sub(r"^ \* ?", "", line).rstrip() for line in comment.splitlines()]
    for indented, group in itertools.groupby(lines, key=lambda line: line.startswith("  ")):
        if indented:
            yield from (f"{indentation}::", "", *(f"{indentation}{line}" for line in group), "")
        else:
            for _, words in itertools.groupby(group, key=bool):
                yield from (f"{indentation}{escape(' '.join(' '.join(words).split()))}", "")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("c-header", CHeader)
    return {"version": "1", "parallel_read_safe": True}
