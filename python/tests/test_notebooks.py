"""Notebooks run from a clean kernel, and what is committed of them is what their code puts out."""

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from places import REPOSITORY

pytestmark = pytest.mark.once

TOOL = runpy.run_path(str(REPOSITORY / "tools" / "notebooks.py"))
NOTEBOOKS = [
    "1_first_steps",
    "2_phases_and_the_theorem",
    "3_ep_c_ep_and_bptt",
    "4_asymmetric_feedback",
    "5_your_own_experiment",
]
# What cep[all] brings, and Python itself.
IMPORTABLE = {"cep", "matplotlib", "numpy", "sklearn", *sys.stdlib_module_names}
LARGEST = 250_000

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def read(name: str) -> Any:
    return nbformat.read(REPOSITORY / "notebooks" / f"{name}.ipynb", as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in TOOL["code_cells"](notebook) for output in cell.outputs]


def shape(notebook: Any) -> list[list[tuple[str, ...]]]:
    """What each cell puts out, whatever the numbers: they differ between instruction sets."""

    def words(text: str) -> str:
        return re.sub(r"[\s─-]+", " ", re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", text)).strip()

    return [
        [
            (output.output_type, words(output.get("text", "")), *sorted(output.get("data", {})))
            for output in cell.outputs
        ]
        for cell in TOOL["code_cells"](notebook)
    ]


def test_all_of_them_are_there() -> None:
    assert [path.stem for path in TOOL["NOTEBOOKS"]] == NOTEBOOKS


@each_notebook
def test_outputs_are_those_of_the_code_run_from_top_to_bottom(name: str) -> None:
    notebook = read(name)
    cells = TOOL["code_cells"](notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert TOOL["unwanted"](notebook) == []
    assert notebook.metadata == TOOL["metadata"](notebook), "not executed since: make notebooks"
    assert not any(cell.metadata for cell in notebook.cells)


@each_notebook
def test_it_is_a_story_with_pictures_and_small(name: str) -> None:
    notebook = read(name)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert notebook.cells[0].source.startswith("# ")
    assert len(texts) >= 5
    assert sum("image/png" in output.get("data", {}) for output in outputs(notebook)) >= 3
    assert (REPOSITORY / "notebooks" / f"{name}.ipynb").stat().st_size <= LARGEST


@each_notebook
def test_it_needs_cep_and_its_extras_only(name: str) -> None:
    code = "\n".join(cell.source for cell in TOOL["code_cells"](read(name)))
    assert set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)) <= IMPORTABLE


@pytest.mark.filterwarnings("ignore")  # Of the kernel's own libraries.
@each_notebook
def test_runs_from_a_clean_kernel(name: str, tmp_path: Path) -> None:
    committed, executed = read(name), read(name)
    TOOL["execute"](executed, tmp_path)
    assert TOOL["unwanted"](executed) == []
    assert shape(executed) == shape(committed)
    assert not list(tmp_path.iterdir()), "it wrote elsewhere than into a temporary folder"


def test_outputs_of_other_code_are_noticed() -> None:
    notebook = read(NOTEBOOKS[0])
    before = TOOL["digest"](notebook)
    TOOL["code_cells"](notebook)[-1].source += "\n"
    assert TOOL["digest"](notebook) != before
