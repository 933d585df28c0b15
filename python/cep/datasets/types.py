"""Types of the loaders' arguments and results."""

import os

import numpy as np
import numpy.typing as npt

Dataset = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
FilePath = str | os.PathLike[str]
