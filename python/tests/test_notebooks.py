"""Each notebook runs from a clean kernel, and what is committed shows no errors."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from places import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.filterwarnings("ignore")  # Of the kernel's own libraries.
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_a_clean_kernel(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    committed = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert any(committed), "committed without outputs"
    assert not [o for outputs in committed for o in outputs if o.output_type == "error"]
    # The kernel is this interpreter, whatever kernels the machine knows.
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": os.fspath(tmp_path)}}
    )
    client.execute()
    assert "test error" in str(notebook.cells)
