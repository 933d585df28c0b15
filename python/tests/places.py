"""Files of tests that are not part of the package.

The tests run from the repository, or from a copy of the files that they read
(tools/wheel/trial.py), next to the recordings and MNIST, which are not part of it.
"""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
REFERENCE = SHARED / "reference"
MNIST = SHARED / "data" / "mnist"
CONVOLUTION_REFERENCE = REFERENCE / "convolution"
