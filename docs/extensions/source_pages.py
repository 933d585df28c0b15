"""Pages that show the files of the repository to which other pages link.

On a code host, ``[rules.py](../python/cep/learning/rules.py)`` leads to the file. On the site it
leads to a page that shows the file. A link to a folder leads to a list of its files. Some files
already have a page on the site: ``../results/theorem.md`` (``docs/results/theorem.md``), and
notebooks (``docs/notebooks``). Links to them lead to that page.
"""

import posixpath
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

DOCS = Path(__file__).resolve().parents[1]
REPOSITORY = DOCS.parent
FOLDER = "files"
PAGES = (".md", ".ipynb")


def page_of(path: str) -> str:
    """The page that shows a file or a folder, given as a path within the repository."""
    if path.endswith(PAGES) and (DOCS / path).is_file():
        return posixpath.splitext(path)[0]
    return f"{FOLDER}/{path}"


def find_links(app: Sphinx, doctree: nodes.document) -> None:
    """Turn links to files into references to their pages, before Sphinx makes them downloads."""
    docname = app.env.current_document.docname
    here = Path(app.env.doc2path(docname)).parent
    linked = files_of(app.env).setdefault(docname, set())
    for node in list(doctree.findall(is_link)):
        path = target(node, here)
        if path.exists() and path.is_relative_to(REPOSITORY) and not path.is_relative_to(DOCS):
            name = path.relative_to(REPOSITORY).as_posix()
            linked.add(name)
            reference = addnodes.pending_xref(
                "", *node.children, refdomain=None, reftype="file", reftarget=name, refdoc=docname
            )
            node.replace_self(reference)


def target(node: nodes.Element, here: Path) -> Path:
    """The file or folder to which a link in a folder leads. It need not exist."""
    path = (here / node["reftarget"]).resolve()
    if node["refdomain"] != "doc":
        return path
    # MyST removes the suffix of links to pages, even of pages outside the site.
    pages = [path.with_name(path.name + suffix) for suffix in PAGES]
    return next((page for page in pages if page.exists()), path)


def is_link(node: nodes.Node) -> bool:
    """Whether a node is a link without a scheme, as MyST creates it."""
    return isinstance(node, addnodes.download_reference | addnodes.pending_xref) and (
        node.get("reftype") == "myst"
    )


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """The link to a file's page."""
    if node["reftype"] != "file":
        return None
    uri = app.builder.get_relative_uri(node["refdoc"], page_of(node["reftarget"]))
    return nodes.reference("", "", content, internal=True, refuri=uri)


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for every linked file, and for every file of a linked folder."""
    linked = set().union(*files_of(app.env).values())
    for name in sorted(linked | {file for each in linked for file in files_in(each)}):
        if page_of(name).startswith(FOLDER):
            shown = folder(name) if (REPOSITORY / name).is_dir() else file(name)
            body = f"<h1>{escape(name)}</h1>{shown}"
            yield page_of(name), {"title": name, "body": body}, "page.html"


def files_in(name: str) -> list[str]:
    """The files of a folder. Empty if the path is not a folder."""
    path = REPOSITORY / name
    files = (each for each in path.iterdir() if each.is_file()) if path.is_dir() else ()
    return sorted(each.relative_to(REPOSITORY).as_posix() for each in files)


def file(name: str) -> str:
    """A file, highlighted."""
    text = (REPOSITORY / name).read_text()
    try:
        lexer = get_lexer_for_filename(name)
    except ClassNotFound:
        lexer = get_lexer_for_filename("file.txt")
    return highlight(text, lexer, HtmlFormatter(cssclass="highlight"))


def folder(name: str) -> str:
    """Links to the files of a folder."""
    links = "".join(
        f'<li><a href="{posixpath.basename(name)}/{escape(each)}.html">{escape(each)}</a></li>'
        for each in (posixpath.basename(path) for path in files_in(name))
    )
    return f"<ul>{links}</ul>"


def files_of(env: Any) -> dict[str, set[str]]:
    """The files to which each page links."""
    if not hasattr(env, "linked_files"):
        env.linked_files = {}
    links: dict[str, set[str]] = env.linked_files
    return links


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget the links of a page that is read again or was removed."""
    files_of(env).pop(docname, None)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", find_links, priority=100)
    app.connect("missing-reference", resolve)
    app.connect("html-collect-pages", pages)
    return {"version": "1"}
