"""The theorem experiments of Ernoult et al. (2020), appendix E.6: all rules in both settings.

784-512-10, tanh, batch 1, on MNIST. Prints a table, writes theorem.md and theorem.png beside
this file:

    CEP_DATA=folder/with/mnist python results/theorem.py
"""

import itertools
import time
from pathlib import Path

from matplotlib.figure import Figure

import cep
from cep.plots import draw_curves

HERE = Path(__file__).resolve().parent
CONDITIONS = {
    "prototypical": {"free_steps": 150, "nudged_steps": 10, "beta": 0.01},
    "real-time": {"free_steps": 800, "nudged_steps": 80, "beta": 0.005},
}
RULES = {
    ("tied", 0.0): "EP",
    ("tied", 2e-5): "C-EP",
    ("untied", 0.0): "VF",
    ("untied", 2e-5): "C-VF",
}


def main() -> None:
    _, (x, y) = cep.datasets.mnist()
    lines = [
        "# Theorem experiments",
        "",
        "Written by `python results/theorem.py`. 784-512-10, tanh, batch 1 (the first test image",
        "of MNIST), seed 0; the feedback of VF and C-VF starts at an angle of 0°. Relative errors",
        "are |updates − (−gradients)| / |gradients| over all steps and entries; the angle is",
        "between the total update and minus the total gradient of all weights.",
        "",
        "| setting | rule | η | neurons 1 | neurons 2 | weights 0→1 | weights 1→2 | biases 0→1 "
        "| biases 1→2 | feedback 2→1 | sign agreement (weights) | angle |",
        "|" + "---|" * 12,
    ]
    figure = Figure(figsize=(13, 15), layout="constrained")
    panels = figure.subplots(8, 4)
    cases = itertools.product(CONDITIONS, RULES.items())
    for row, (setting, ((feedback, rate), rule)) in zip(panels, cases, strict=True):
        net = cep.Network(
            [784, 512, 10],
            setting=setting,
            feedback=feedback,
            activation="tanh",
            dtype="float64",
            seed=0,
            dt=0.08,
            clamp=False,
        )
        start = time.perf_counter()
        report = cep.gdu_check(net, x[:1], y[:1], learning_rates=rate, **CONDITIONS[setting])
        errors = {name: f"{curves.relative_error:.1%}" for name, curves in report.rows()}
        agreement = min(curves.sign_agreement for curves in report.weights)
        lines.append(
            f"| {setting} | {rule} | {rate:g} | "
            + " | ".join(
                errors.get(name, "")
                for name in (
                    "neurons 1",
                    "neurons 2",
                    "weights 0→1",
                    "weights 1→2",
                    "biases 0→1",
                    "biases 1→2",
                    "feedback 2→1",
                )
            )
            + f" | {agreement:.1%} | {report.angle:.2f}° |"
        )
        print(f"{lines[-1]}  {time.perf_counter() - start:.1f} s")
        shown = {
            "neurons 1": report.states[1],
            "neurons 2": report.states[2],
            "weights 0→1": report.weights[0],
            "weights 1→2": report.weights[1],
        }
        for ax, (name, curves) in zip(row, shown.items(), strict=True):
            draw_curves(ax, curves, entries=5, seed=0)
            ax.set_title(f"{rule}, {setting}: {name}", fontsize="small")
    for ax in panels[-1]:
        ax.set_xlabel("step t")
    figure.suptitle("Updates of the nudged phase (dashed) and minus the gradients of BPTT (solid)")
    figure.savefig(HERE / "theorem.png", dpi=90)
    (HERE / "theorem.md").write_text("\n".join([*lines, "", "![curves](theorem.png)", ""]))


if __name__ == "__main__":
    main()
