"""Notebooks run in a clean kernel, and each cell has the committed kinds of output."""

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from places import REPOSITORY

pytestmark = [pytest.mark.once, pytest.mark.slow]

TOOL = runpy.run_path(str(REPOSITORY / "tools" / "notebooks.py"))
NOTEBOOKS = [
    "1_first_steps",
    "2_phases_and_the_theorem",
    "3_ep_c_ep_and_bptt",
    "4_asymmetric_feedback",
    "5_your_own_experiment",
    "6_convolutional_networks",
    "7_imperfect_hardware",
]
# The packages of equilibrium-propagation[all], and Python itself.
IMPORTABLE = {"cep", "matplotlib", "numpy", "sklearn", *sys.stdlib_module_names}
LARGEST = 250_000

each_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def read(name: str) -> Any:
    return nbformat.read(REPOSITORY / "notebooks" / f"{name}.ipynb", as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in TOOL["code_cells"](notebook) for output in cell.outputs]


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


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[Any]"]]:
    """All notebooks as they are executed, two at a time with one thread of the engine each."""

    def execute(name: str, notebook: Any) -> Any:
        folder = tmp_path_factory.mktemp(name)
        TOOL["execute"](notebook, folder)
        assert not list(folder.iterdir()), "it wrote elsewhere than into a temporary folder"
        return notebook

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setenv("CEP_NUM_THREADS", "1")
        yield {name: pool.submit(execute, name, read(name)) for name in NOTEBOOKS}


@pytest.mark.filterwarnings("ignore")  # Of the kernel's own libraries.
@each_notebook
def test_runs_from_a_clean_kernel(name: str, executed: dict[str, "Future[Any]"]) -> None:
    """Without errors, and with the committed kinds of output."""
    assert TOOL["problems"](executed[name].result(), read(name)) == []


def last_with(notebook: Any, kind: str) -> Any:
    """The last code cell that has an output of a kind."""
    return [
        cell
        for cell in TOOL["code_cells"](notebook)
        if any(kind in (output.output_type, *output.get("data", {})) for output in cell.outputs)
    ][-1]


def without_figure(notebook: Any) -> None:
    cell = last_with(notebook, "image/png")
    cell.outputs = [each for each in cell.outputs if "image/png" not in each.get("data", {})]


def with_text_for_a_figure(notebook: Any) -> None:
    for output in last_with(notebook, "image/png").outputs:
        output.get("data", {}).pop("image/png", None)


def without_table(notebook: Any) -> None:
    del last_with(notebook, "text/html").outputs[0].data["text/html"]


def silent(notebook: Any) -> None:
    last_with(notebook, "stream").outputs = []


def with_an_address(notebook: Any) -> None:
    last_with(notebook, "stream").outputs[-1].text += "<object at 0x7f00>"


def with_output(**output: Any) -> Callable[[Any], None]:
    return lambda notebook: TOOL["code_cells"](notebook)[0].outputs.append(
        nbformat.from_dict(output)
    )


@pytest.mark.parametrize(
    "spoil",
    [
        without_figure,
        with_text_for_a_figure,
        without_table,
        silent,
        with_an_address,
        with_output(output_type="error", ename="ValueError", evalue="", traceback=[]),
        with_output(output_type="stream", name="stderr", text="a warning"),
        with_output(output_type="stream", name="stdout", text="one more"),
    ],
)
def test_a_spoiled_notebook_is_noticed(spoil: Callable[[Any], None]) -> None:
    committed, spoiled = read(NOTEBOOKS[0]), read(NOTEBOOKS[0])
    assert TOOL["problems"](spoiled, committed) == []
    spoil(spoiled)
    assert TOOL["problems"](spoiled, committed) != []


def test_other_numbers_are_no_problem() -> None:
    """They differ between instruction sets, as does the text of a collapsed run."""
    committed, other = read(NOTEBOOKS[-1]), read(NOTEBOOKS[-1])
    for output in outputs(other):
        if output.output_type == "stream":
            output.text = "collapsed"
    assert TOOL["problems"](other, committed) == []


@pytest.mark.filterwarnings("ignore")  # Of the kernel's own libraries.
def test_an_error_ends_the_execution(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        TOOL["execute"](notebook, tmp_path)


def test_outputs_of_other_code_are_noticed() -> None:
    notebook = read(NOTEBOOKS[0])
    before = TOOL["digest"](notebook)
    TOOL["code_cells"](notebook)[-1].source += "\n"
    assert TOOL["digest"](notebook) != before
