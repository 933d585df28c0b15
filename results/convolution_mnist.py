"""Draw the training of the 2019 paper's convolutional network on MNIST (preset P-conv).

    cep train --preset P-conv --tolerance 1e-6 --run-dir runs/p-conv
    cep train --preset P-conv --tolerance 1e-6 --relaxation alternating \\
        --run-dir runs/p-conv-alternating
    python results/convolution_mnist.py                draws the epochs trained so far
    python results/convolution_mnist.py --time DATA    measures the time of a hundred batches

The tolerance ends a free phase when no state of a sample changes by more than 1e-6 in a step. This
is ten times the rounding of float32. A phase then takes a third of the time. Writes
convolution_mnist.md beside this file, and docs/figures/convolution_mnist.svg. `cep train --resume
runs/p-conv` continues a run that was stopped.
"""

import json
import sys
import time
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import cep

ROOT = Path(__file__).resolve().parents[1]
RUNS = {"synchronous": "p-conv", "alternating": "p-conv-alternating"}
PUBLISHED = cep.presets.get("P-conv").published


def epochs(name: str) -> list[dict]:
    """The metrics of each epoch of a run."""
    path = ROOT / "runs" / name / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def time_batches(data_root: str) -> None:
    """Print seconds of a batch, and minutes of an epoch of 3,000, of new networks."""
    (x, y), _ = cep.datasets.mnist(data_root)
    for relaxation in RUNS:
        preset = cep.presets.get("P-conv").configuration
        configuration = preset.replace(tolerance=1e-6, relaxation=relaxation)
        net, rule = configuration.make_network(), configuration.make_rule()
        start = time.perf_counter()
        cep.fit(net, (x[:2000], y[:2000]), rule, 1, 20, seed=0, progress=False)
        seconds = (time.perf_counter() - start) / 100
        print(f"{relaxation}: {seconds:.2f} s a batch, {50 * seconds:.0f} min an epoch")


def draw() -> None:
    """Read, print, write, draw."""
    curves = {name: epochs(folder) for name, folder in RUNS.items()}
    most = max(map(len, curves.values()))
    lines = [
        "# A convolutional network on MNIST",
        "",
        "Written by `python results/convolution_mnist.py`: preset P-conv (32 and 64 channels,",
        "5 × 5, max-pooling, EP, batch 20, T = 200, K = 10, β = 0.4), seed 0, free phases with",
        "synchronous or alternating steps. Published after 40 epochs: test error",
        f"{PUBLISHED.test_mean:.2%} ± {PUBLISHED.test_deviation:.2%}, training error "
        f"{PUBLISHED.train:.2%}.",
        "",
        "| epoch | " + " | ".join(f"{name}: test | train" for name in curves) + " |",
        "|---|" + "---|---|" * len(curves),
    ]
    for epoch in range(most):
        cells = []
        for curve in curves.values():
            if epoch < len(curve):
                cells += [f"{curve[epoch][key]:.2%}" for key in ("test_error", "train_error")]
            else:
                cells += ["", ""]
        lines.append(f"| {epoch + 1} | " + " | ".join(cells) + " |")
    (ROOT / "results" / "convolution_mnist.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))

    mpl.rcParams["svg.hashsalt"] = "cep"
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axis = figure.subplots()
    for colour, (name, curve) in zip(("#0072B2", "#D55E00"), curves.items(), strict=True):
        places = [each["epoch"] for each in curve]
        for key, style in (("test_error", "o-"), ("train_error", "^:")):
            label = f"{name}, {key.split('_')[0]}"
            axis.plot(places, [100 * each[key] for each in curve], style, color=colour, label=label)
    test, deviation = 100 * PUBLISHED.test_mean, 100 * (PUBLISHED.test_deviation or 0)
    axis.axhspan(test - deviation, test + deviation, color="0.8")
    axis.axhline(test, color="0.4", linewidth=1, label="published test, 40 epochs")
    axis.axhline(
        100 * (PUBLISHED.train or 0),
        color="0.4",
        linestyle=":",
        linewidth=1,
        label="published train, 40 epochs",
    )
    axis.set(xlabel="epoch", ylabel="error, %", yscale="log", xticks=range(1, most + 1))
    axis.set_yticks([0.5, 1, 2, 5], labels=["0.5", "1", "2", "5"])
    axis.minorticks_off()
    axis.legend(fontsize="small")
    figure.savefig(ROOT / "docs" / "figures" / "convolution_mnist.svg", metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--time"]:
        time_batches(sys.argv[2])
    else:
        draw()
