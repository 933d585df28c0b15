"""What the states of output units say about classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def probabilities(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Shares of the positive outputs in their sum; of the largest ones where none is positive."""
    largest = outputs == outputs.max(axis=1, keepdims=True)
    positive = outputs.max(axis=1, keepdims=True) > 0
    weights = np.where(positive, np.maximum(outputs, 0), largest).astype(np.float64)
    shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares
