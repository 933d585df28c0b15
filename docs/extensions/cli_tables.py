"""The directive ``cli-tables``: the help of a click command and its subcommands, as tables."""

from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.rst import escape


class CommandTables(SphinxDirective):
    """One section per subcommand. The argument is ``module:command``. For eval-rst."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Describe the command, then each subcommand in a section."""
        module, _, name = self.arguments[0].partition(":")
        group: click.Group = getattr(import_module(module), name)
        parent = click.Context(group, info_name=group.name)
        found = self.parse_text_to_nodes("\n".join(description(group)))
        for command in group.commands.values():
            context = click.Context(command, info_name=command.name, parent=parent)
            title = context.command_path
            section = nodes.section(ids=[nodes.make_id(title)])
            section += nodes.title(title, title)
            lines = [*usage(context), *description(command), *options(context)]
            section += self.parse_text_to_nodes("\n".join(lines))
            found.append(section)
        return found


def usage(context: click.Context) -> Iterator[str]:
    """The line of usage, as in the terminal."""
    pieces = context.command.collect_usage_pieces(context)
    yield from (".. code-block:: text", "", f"   {context.command_path} {' '.join(pieces)}", "")


def description(command: click.Command) -> Iterator[str]:
    r"""The help text. Click does not wrap paragraphs that begin with ``\b``: show them as code."""
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0] == "\b":
            yield from (".. code-block:: text", "", *(f"   {line}" for line in lines[1:]), "")
        else:
            yield from (escape(" ".join(lines)), "")


def options(context: click.Context) -> Iterator[str]:
    """A table of the options: name, description, default."""
    rows = [
        row(option, context)
        for option in context.command.get_params(context)
        if isinstance(option, click.Option) and not option.hidden
    ]
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 34 50 16", "")
    for cells in [("option", "description", "default"), *rows]:
        yield from (f"   {mark} - {cell}" for mark, cell in zip("*  ", cells, strict=True))
    yield ""


def row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    """The cells of an option, in reStructuredText."""
    names, _ = option.get_help_record(context) or ("", "")
    help_text = " ".join((option.help or "").split())
    # Some options state in their help text what their default depends on.
    text, _, stated = help_text.removesuffix("]").partition(" [default: ")
    default = option.get_help_extra(context).get("default") or stated
    return f"``{names}``", escape(text if stated else help_text), escape(default)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("cli-tables", CommandTables)
    return {"version": "1", "parallel_read_safe": True}
