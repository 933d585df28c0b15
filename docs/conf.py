"""How Sphinx makes the site of these pages: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import cep

project = "cep"
author = "the developers of cep"
version = release = cep.__version__
language = "en"
smartquotes = False  # "tied" is a value, --seed an option.

extensions = [
    "myst_nb",  # MyST, of pages and of notebooks.
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
    "c_header",
    "source_pages",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["extensions", "**.ipynb_checkpoints"]

nb_execution_mode = "off"  # They have their outputs: `make notebooks`, and a test that runs them.

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3  # As a code host makes them: docs/experiments.md#checkpoints.

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # The docstrings have them, in words.
autosummary_generate = False  # numpydoc brings the extension along.
default_role = "py:obj"  # Docstrings name `fit` and `Network.states` so.
numpydoc_show_class_members = False  # autodoc shows them.

# What C code says to compilers about its pointers.
c_id_attributes = ["CEP_API", "CEP_NULLABLE"]

html_theme = "furo"
html_title = f"cep {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
