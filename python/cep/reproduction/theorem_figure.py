"""Fig. 5b and appendix E.6: the theorem's curves for all rules in one of the settings.

784-512-10, tanh, float64, the first test image of MNIST; seed 0, feedback of VF and C-VF at 0°.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep import datasets
from cep._engine.words import SETTINGS
from cep._util import validation
from cep._util.tables import table
from cep.learning.theorem import Curves, GDUReport, gdu_check
from cep.network.network import Network
from cep.plotting import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = ("neurons 1", "neurons 2", "weights 0→1", "weights 1→2")
"""The curves drawn for each rule, with the names of `GDUReport.rows`."""

_CONDITIONS: dict[str, dict[str, Any]] = {
    "prototypical": {"free_steps": 150, "nudged_steps": 10, "beta": 0.01},
    "real-time": {"free_steps": 800, "nudged_steps": 80, "beta": 0.005},
}
_RULES = {
    "EP": ("tied", 0.0),
    "C-EP": ("tied", 2e-5),
    "VF": ("untied", 0.0),
    "C-VF": ("untied", 2e-5),
}


@dataclass(frozen=True, eq=False)
class RuleCurves:
    """The part of a rule's `GDUReport` that is kept; the curves of all weights are large."""

    learning_rate: float
    angle: float
    """Degrees between the total update and the negative total gradient of all weights."""
    relative_errors: Mapping[str, float]
    """For every layer and connection, by name."""
    sign_agreement: float
    """For the connection with the lowest agreement."""
    panels: Mapping[str, Curves]
    """The entries that are drawn, steps × entries, by name."""

    @classmethod
    def of(cls, report: GDUReport) -> "RuleCurves":
        """The curves kept of a report."""
        named = dict(report.rows())
        return cls(
            report.learning_rates[0],
            report.angle,
            {name: curves.relative_error for name, curves in named.items()},
            min(curves.sign_agreement for curves in report.weights),
            {name: named[name].some_entries() for name in PANELS},
        )


@dataclass(frozen=True, eq=False)
class TheoremCurves:
    """Updates and negative gradients in one setting: ``print(curves)``, ``curves.plot()``."""

    setting: str
    rules: Mapping[str, RuleCurves]
    """EP, C-EP, VF, C-VF."""

    @property
    def stem(self) -> str:
        """The name of this figure's files."""
        return f"gdu-{self.setting}"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings, and a row of cells for each rule: relative errors, sign agreement, angle."""
        # VF has the names of EP, followed by feedback weights.
        names = list(self.rules["VF"].relative_errors)
        rows = []
        for name, rule in self.rules.items():
            errors = [rule.relative_errors.get(each) for each in names]
            rows.append([name, f"{rule.learning_rate:g}"])
            rows[-1] += ["" if error is None else f"{error:.1%}" for error in errors]
            rows[-1] += [f"{rule.sign_agreement:.1%}", f"{rule.angle:.2f}°"]
        return ["rule", "η", *names, "sign agreement (weights)", "angle"], rows

    def __str__(self) -> str:
        title = f"{self.setting}: relative errors of updates against the negative gradients of BPTT"
        return f"{title}\n{table(*self.table())}"

    def to_dict(self) -> dict[str, Any]:
        """The curves drawn, and the agreement of all curves, as JSON values."""
        return {
            "setting": self.setting,
            **_CONDITIONS[self.setting],
            "rules": {
                name: {
                    "learning_rate": rule.learning_rate,
                    "angle": rule.angle,
                    "relative_errors": dict(rule.relative_errors),
                    "sign_agreement": rule.sign_agreement,
                    "panels": {
                        panel: {
                            "updates": curves.updates.T.tolist(),
                            "minus_gradients": curves.gradients.T.tolist(),
                        }
                        for panel, curves in rule.panels.items()
                    },
                }
                for name, rule in self.rules.items()
            },
        }

    def plot(self) -> "Figure":
        """Draw the curves: a row for each rule, updates dashed, negative gradients solid.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return _draw_theorem(self)


def gdu(
    setting: str = "prototypical", *, data_root: str | os.PathLike[str] | None = None
) -> TheoremCurves:
    """Compare the updates of all rules with the gradients of BPTT, under the paper's conditions.

    Parameters
    ----------
    setting : {"prototypical", "real-time"}
        T = 150, K = 10, β = 0.01, or T = 800, K = 80, β = 0.005 with dt = 0.08 and no clamping;
        η = 0 for EP and VF, 2e-5 for C-EP and C-VF.
    data_root : path, optional
        MNIST's folder (see `cep.datasets.mnist`).

    Returns
    -------
    TheoremCurves

    Raises
    ------
    ValueError
        For an unknown setting.
    FileNotFoundError
        If MNIST is missing.
    """
    setting = validation.choice("setting", setting, SETTINGS)
    _, (x, y) = datasets.mnist(None if data_root is None else Path(data_root))
    rules = {}
    for name, (feedback, rate) in _RULES.items():
        net = Network(
            [784, 512, 10],
            setting=setting,
            feedback=feedback,
            activation="tanh",
            dtype="float64",
            dt=0.08,
            clamp=False,
            seed=0,
        )
        conditions = _CONDITIONS[setting]
        report = gdu_check(net, x[:1], y[:1], learning_rates=rate, **conditions)
        rules[name] = RuleCurves.of(report)
    return TheoremCurves(setting, rules)


def _draw_theorem(curves: TheoremCurves) -> "Figure":
    """Draw updates and negative gradients: one row per rule, one column per layer."""
    figure: Figure = plots.new_figure(figsize=(13, 9.5))
    panels = figure.subplots(len(curves.rules), 4, sharex=True)
    for row, (name, rule) in zip(panels, curves.rules.items(), strict=True):
        for ax, (panel, drawn) in zip(row, rule.panels.items(), strict=True):
            plots.draw_curves(ax, drawn)
            # On the right, because matplotlib writes a power of ten on the left.
            ax.set_title(f"{name}: {panel}", fontsize="medium", loc="right")
    figure.suptitle(f"{curves.setting} setting: updates and negative gradients of BPTT")
    return figure
