"""Trains scikit-learn's digits with C-EP and C-VF on a small convolutional network.

    python results/convolution_digits.py

Each row is the mean over five seeds, which draw the network, the order of the samples and which 360
of the 1,797 digits are the test set. Writes convolution_digits.md beside this file; takes ten
minutes on one core. One of the runs from the command line:

    cep train --hidden conv2d:64:3:padding=1:pool=max --rule c-ep --activation hard_sigmoid \\
        --free-steps 30 --nudged-steps 8 --beta 0.5 --learning-rates 0.01,0.02 \\
        --learning-rate-decay 0.97 --epochs 80
"""

from pathlib import Path
from typing import Any

import cep

HERE = Path(__file__).resolve().parent
SEEDS = range(5)
BASE = cep.Configuration(
    hidden=[cep.Conv2d(64, 3, padding=1, pool="max")],
    rule="c-ep",
    relaxation="synchronous",
    beta_sign="fixed",
    activation="hard_sigmoid",
    free_steps=30,
    nudged_steps=8,
    beta=0.5,
    learning_rates=(0.01, 0.02),
    learning_rate_decay=0.97,
    epochs=80,
    validation_fraction=0,
)
ROWS: dict[str, dict[str, Any]] = {
    "C-EP": {},
    "C-VF": {"feedback": "untied", "beta_sign": "random", "learning_rates": (0.007, 0.015)},
}


def main() -> None:
    """Train, print, write."""
    lines = [
        "# C-EP and C-VF on a convolutional network",
        "",
        "Written by `python results/convolution_digits.py`: scikit-learn's 1,797 digits, 360 of",
        f"them the test set, {BASE.hidden[0]} and 10 units, batches of 20, {BASE.epochs} epochs,",
        f"mean of {len(SEEDS)} seeds.",
        "",
        "| rule | test error after the last epoch | of each seed | training error |",
        "|---|---|---|---|",
    ]
    for name, changes in ROWS.items():
        configuration = BASE.replace(**changes)
        results = [cep.run(configuration.replace(seed=seed), progress=False) for seed in SEEDS]
        test = [result.test_error for result in results]
        train = [result.train_error for result in results]
        each = ", ".join(f"{error:.2%}" for error in test)
        mean, training = sum(test) / len(test), sum(train) / len(train)
        lines.append(f"| {name} | {mean:.2%} | {each} | {training:.2%} |")
        print(lines[-1], flush=True)
    (HERE / "convolution_digits.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
