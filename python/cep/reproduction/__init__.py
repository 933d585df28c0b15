"""Reproduction of the table and figures of Ernoult et al. (2020), with the published values.

`reproduce` trains a row of the table, `angles` reproduces Fig. 4, `gdu` Fig. 5b and `correlation`
Fig. 5a; `hardware` studies imperfect hardware. Each returns the numbers, which print as a table;
figures have a ``.plot()`` method, and `save` writes them as PNG, SVG and JSON.
"""

from cep.reproduction.angle_figure import AngleSweep, angles, read_angles
from cep.reproduction.correlation_figure import Correlation, CorrelationPoint, correlation
from cep.reproduction.figure_files import save
from cep.reproduction.hardware_study import HardwareStudy, hardware
from cep.reproduction.initial_angles import InitialAngles, initial_angles
from cep.reproduction.published import FEEDBACK_ANGLES, ONE_HIDDEN_LAYER, ROWS, TABLE
from cep.reproduction.report import Reproduction
from cep.reproduction.rows import read_rows, reproduce, reproduce_rows
from cep.reproduction.theorem_figure import TheoremCurves, gdu
from cep.reproduction.trials import Spread, Trials

__all__ = [
    "FEEDBACK_ANGLES",
    "ONE_HIDDEN_LAYER",
    "ROWS",
    "TABLE",
    "AngleSweep",
    "Correlation",
    "CorrelationPoint",
    "HardwareStudy",
    "InitialAngles",
    "Reproduction",
    "Spread",
    "TheoremCurves",
    "Trials",
    "angles",
    "correlation",
    "gdu",
    "hardware",
    "initial_angles",
    "read_angles",
    "read_rows",
    "reproduce",
    "reproduce_rows",
    "save",
]
