"""Configure Sphinx for the documentation site: `make docs`."""

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
    "myst_nb",  # MyST, for pages and notebooks.
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",  # Serves MathJax from the site itself.
    "c_header",
    "cli_tables",
    "source_pages",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["extensions", "**.ipynb_checkpoints"]

nb_execution_mode = "off"  # Notebooks contain their outputs: `make notebooks`. A test runs them.

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3  # The same anchors as on a code host: docs/experiments.md#checkpoints.

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # The docstrings state the types.
autosummary_generate = False  # The tables of names link to the entries below them.
default_role = "py:obj"  # For names such as `fit` and `Network.states` in docstrings.
numpydoc_show_class_members = False  # autodoc shows them.

# Macros in C declarations.
c_id_attributes = ["CEP_API", "CEP_NULLABLE"]

html_theme = "furo"
html_title = f"cep {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
