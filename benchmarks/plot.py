"""Draw benchmarks/sweep.json into docs/figures/performance.svg."""

import json
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
# Told apart by shape as well as by colour.
STYLES = {
    "cep": {"color": "#0072B2", "marker": "o", "linewidth": 2},
    "JAX, jitted": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "JAX with our algebra": {"color": "#E69F00", "marker": "D", "linestyle": "-."},
    "PyTorch, eager": {"color": "#555555", "marker": "^", "linestyle": ":"},
}


def main() -> None:
    """Read, draw, write."""
    results = json.loads((FOLDER / "sweep.json").read_text())["results"]
    mpl.rcParams["svg.hashsalt"] = "cep"
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    panels: list[tuple[str, str, str, Callable]] = [
        ("C-EP-1h", "C-EP, 784-512-10", "batch size", lambda r: r["batch"]),
        ("C-EP-2h", "C-EP, 784-512-512-10", "batch size", lambda r: r["batch"]),
        ("EP wide", "EP, 784-n-n-10, batch 20", "width n", lambda r: r["sizes"][1]),
        ("C-EP wide", "C-EP, 784-n-n-10, batch 20", "width n", lambda r: r["sizes"][1]),
        (
            "C-EP deep",
            "C-EP, hidden layers of 512, batch 20",
            "depth",
            lambda r: len(r["sizes"]) - 2,
        ),
    ]
    axes = figure.subplots(2, 3).ravel()
    for panel, (row, title, label, key) in zip(axes, panels, strict=False):
        chosen = sorted((r for r in results if r["row"] == row), key=key)
        places = [key(r) for r in chosen]
        for name, style in STYLES.items():
            panel.plot(places, [r["milliseconds"][name] for r in chosen], label=name, **style)
        panel.plot(
            places, [r["floor"] for r in chosen], color="black", linewidth=0.8, label="floor"
        )
        panel.set(title=title, xlabel=label, ylabel="milliseconds per batch", yscale="log")
        if label != "depth":
            panel.set_xscale("log", base=2)
        panel.set_xticks(places, [str(place) for place in places])
        panel.grid(visible=True, which="major", alpha=0.3)
    axes[-1].axis("off")
    axes[-1].legend(*axes[0].get_legend_handles_labels(), loc="center", frameon=False)
    output = FOLDER.parent / "docs" / "figures" / "performance.svg"
    figure.savefig(output, metadata={"Date": None})
    print(f"written to {output}")


if __name__ == "__main__":
    main()
