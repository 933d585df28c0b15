"""Execute notebooks in a clean kernel, and write them as they are committed: `make notebooks`.

Without names all notebooks: python tools/notebooks.py [NOTEBOOK …]
"""

import asyncio
import base64
import hashlib
import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Folders of this machine.
_FOLDERS = (os.fspath(FOLDER.parent), tempfile.gettempdir(), os.fspath(Path.home()) + os.sep)


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in a folder. The kernel is this interpreter."""
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        resources={"metadata": {"path": os.fspath(folder)}},
    )
    asyncio.run(client.async_execute())  # Closes its event loop, in any thread.
    for cell in code_cells(notebook):
        cell.outputs = joined(cell.outputs)


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs with consecutive pieces of printed text joined."""
    result: list[NotebookNode] = []
    for output in outputs:
        if result and output.output_type == "stream" and output.name == result[-1].get("name"):
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def metadata(notebook: NotebookNode) -> dict[str, object]:
    """The metadata of a committed notebook: its kernel, and a digest of the code."""
    return {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "outputs_of": digest(notebook),
    }


def digest(notebook: NotebookNode) -> str:
    """SHA-256 of all code."""
    code = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(code.encode()).hexdigest()


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that are executed, in their order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def unwanted(notebook: NotebookNode) -> list[str]:
    """Outputs that must not be committed, one per line: errors, warnings, addresses, paths."""
    found = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            words = [word for word in (" at 0x", *_FOLDERS) if word in text]
            if output.output_type == "error" or output.get("name") == "stderr" or words:
                found.append(f"cell {cell.execution_count}: {output.get('ename') or text}")
    return found


def kinds(notebook: NotebookNode) -> list[list[tuple[str, ...]]]:
    """The kinds of the outputs of each cell: stream and its name, or the MIME types. No content."""
    return [
        [
            (output.output_type, output.get("name", ""), *sorted(output.get("data", {})))
            for output in cell.outputs
        ]
        for cell in code_cells(notebook)
    ]


def problems(executed: NotebookNode, committed: NotebookNode) -> list[str]:
    """The problems of an executed notebook, one per line.

    Problems are unwanted outputs, and cells whose kinds of output differ from those of the
    committed notebook. Texts and pictures are not compared, because training rounds differently on
    each processor.
    """
    cells = zip(kinds(executed), kinds(committed), strict=True)
    return unwanted(executed) + [
        f"cell {number}: expected {there or 'no output'}, found {here or 'no output'}"
        for number, (here, there) in enumerate(cells, start=1)
        if here != there
    ]


def shrink_pictures(notebook: NotebookNode) -> None:
    """Reduce pictures to 256 colours, half the size; lines and letters look the same."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if (data := output.get("data", {})) and "image/png" in data:
                picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
                small = io.BytesIO()
                picture.convert("RGB").quantize(256).save(small, "png", optimize=True)
                data["image/png"] = base64.b64encode(small.getvalue()).decode()


def main(names: list[str]) -> None:
    """Execute, and write the notebooks without problems."""
    for path in [Path(name) for name in names] or NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder))
        if found := unwanted(notebook):
            sys.exit("\n".join([f"{path} was not written:", *found]))
        shrink_pictures(notebook)
        notebook.metadata = nbformat.from_dict(metadata(notebook))
        for cell in notebook.cells:
            cell.metadata = nbformat.from_dict({})
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
