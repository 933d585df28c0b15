"""A notebook shows each plot once, with and without pyplot."""

from typing import Any

import pytest

pytestmark = pytest.mark.once

FIRST = """
import cep
net = cep.Network([16, 8, 3], seed=0)
x = [[0.5] * 16]
report = cep.gdu_check(net, x, [1], free_steps=10, nudged_steps=3, beta=0.01)
history = cep.History(train_error=[0.5, 0.25], train_loss=[0.2, 0.1])
with cep.trace(net) as trace:
    net.free_phase(x, 5)
"""
CELLS = (
    "cep.plot_weights(net)",
    "cep.plot_gdu(report)",
    "cep.plot_relaxation(trace)",
    "cep.plot_history(history)",
    "cep.plot_angles([[None, 40.0], [None, 50.0]]);",
    "figure = cep.plot_weights(net)\nfigure",
)


@pytest.mark.parametrize(
    "imports",
    [pytest.param("", marks=pytest.mark.slow), "import matplotlib.pyplot as plt"],
)
def test_each_picture_is_shown_once(imports: str) -> None:
    pytest.importorskip("matplotlib")
    notebooks = pytest.importorskip("nbformat").v4
    clients = pytest.importorskip("nbclient")
    cells = [notebooks.new_code_cell(source) for source in (imports + FIRST, *CELLS)]
    notebook: Any = notebooks.new_notebook(cells=cells)
    clients.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell in notebook.cells[1:]:
        shown = [output.get("data", {}) for output in cell.outputs]
        assert [("image/png" in data) for data in shown].count(True) == 1, cell.source
