"""Invalid arguments, by kind of mistake."""

from collections.abc import Callable
from typing import Any

import numpy as np

import cep

SIZES = (4, 3, 2)
ROWS = 5
X = np.random.default_rng(0).random((ROWS, 4))
LABELS = np.array([0, 1, 0, 1, 1])
TARGETS = np.eye(2)[LABELS]
EP = cep.EP(5, 3, 0.5, 0.1)
CEP = cep.CEP(5, 3, 0.5, 0.1)


def network(dtype: str = "float32") -> cep.Network:
    """A trained network with states, so that changes to either would be noticed."""
    net = cep.Network(SIZES, dtype=dtype, seed=1)
    cep.train_batch(net, X, LABELS, EP)
    return net


def fit(net: cep.Network, data: Any, **options: Any) -> cep.History:
    return cep.fit(net, data, CEP, **{"epochs": 2, "seed": 0, "progress": False, **options})


# All calls that take inputs; x and y as the user passes them.
Call = Callable[[cep.Network, Any, Any], object]
CALLS_WITH_TARGETS: dict[str, Call] = {
    "train_batch EP": lambda net, x, y: cep.train_batch(net, x, y, EP),
    "train_batch C-EP": lambda net, x, y: cep.train_batch(net, x, y, CEP),
    "fit": lambda net, x, y: fit(net, (x, y)),
    "fit, validation": lambda net, x, y: fit(net, (X, LABELS), validation_data=(x, y)),
    "evaluate": lambda net, x, y: cep.evaluate(net, (x, y), 5),
}
CALLS_WITH_INPUTS: dict[str, Call] = {
    "free_phase": lambda net, x, y: net.free_phase(x, 5),
    "free_phase, continued": lambda net, x, y: net.free_phase(x, 5, reset=False),
    "predict": lambda net, x, y: net.predict(x, 5),
    **CALLS_WITH_TARGETS,
}
# And all that take targets: a nudged phase has no inputs.
CALLS_WITH_ANY_TARGETS: dict[str, Call] = {
    "nudged_phase": lambda net, x, y: net.nudged_phase(y, 0.5, 3),
    **CALLS_WITH_TARGETS,
}

# Arrays of types that are neither real numbers nor integers, or of too little precision.
WRONG_TYPES: dict[str, Any] = {
    "float16": X.astype(np.float16),
    "complex64": X.astype(np.complex64),
    "complex128": X + 0j,
    "object": X.astype(object),
    "strings": X.astype(str),
    "bytes": X.astype("S8"),
    "datetime": np.zeros(X.shape, dtype="datetime64[s]"),
    "timedelta": np.zeros(X.shape, dtype="timedelta64[s]"),
    "records": np.zeros(X.shape, dtype=[("value", "f4")]),
    "list of strings": [["0.5"] * 4] * ROWS,
    "list with None": [[None] * 4] * ROWS,
    "list of complex": [[1j] * 4] * ROWS,
}

# Invalid numbers of steps, epochs or samples: (value, exception, words of its message).
WRONG_COUNTS: dict[str, tuple[Any, type[Exception], str]] = {
    "zero": (0, ValueError, "1 or more, got 0"),
    "negative": (-3, ValueError, "1 or more, got -3"),
    "most negative": (-(2**63), ValueError, f"1 or more, got {-(2**63)}"),
    "2**63": (2**63, ValueError, f"64 bits.*{2**63}"),
    "2**100": (2**100, ValueError, f"64 bits.*{2**100}"),
    "-2**100": (-(2**100), ValueError, f"(64 bits|1 or more).*{-(2**100)}"),
    "float": (5.0, TypeError, "integer, got float 5.0"),
    "nan": (float("nan"), TypeError, "integer, got float nan"),
    "NumPy float": (np.float64(5), TypeError, "integer, got float64"),
    "bool": (True, TypeError, "integer, got bool True"),
    "NumPy bool": (np.True_, TypeError, "integer, got bool"),
    "string": ("5", TypeError, "integer, got str '5'"),
    "None": (None, TypeError, "integer, got NoneType"),
    "array": (np.array([5, 6]), TypeError, "integer, got ndarray"),
}

# Invalid flags: (value, words of the message).
WRONG_FLAGS: dict[str, tuple[Any, str]] = {
    "string": ("no", "str 'no'"),
    "empty string": ("", "str ''"),
    "one": (1, "int 1"),
    "zero": (0, "int 0"),
    "None": (None, "NoneType None"),
    "array": (np.array([True]), r"ndarray array\(\[ True\]\)"),
}

# Invalid values of beta: (value, exception, words of its message).
WRONG_BETAS: dict[str, tuple[Any, type[Exception], str]] = {
    "zero": (0, ValueError, r"beta.*not 0, got 0"),
    "minus zero": (-0.0, ValueError, r"beta.*not 0, got -0"),
    "nan": (float("nan"), ValueError, "beta must be finite.*nan"),
    "infinite": (float("-inf"), ValueError, "beta must be finite.*-inf"),
    "string": ("0.5", TypeError, "beta must be a real number, got str '0.5'"),
    "None": (None, TypeError, "beta must be a real number, got NoneType"),
    "complex": (0.5j, TypeError, "beta must be a real number, got complex"),
    "list": ([0.5], TypeError, "beta must be a real number, got list"),
}
