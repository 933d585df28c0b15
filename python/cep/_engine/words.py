"""Names of the engine's options, tensors and kinds."""

from cep import _cep


def _words(option: str) -> tuple[str, ...]:
    """The words that an option of the engine takes."""
    return tuple(_cep.option_words(option).split(","))


SETTINGS = _words("setting")
ACTIVATIONS = tuple(name for name in _words("activation") if name != "linear")
FEEDBACKS = _words("feedback")
DTYPES = ("float32", "float64")
RELAXATIONS = _words("relaxation")
LOSSES = _words("loss")
NUDGINGS = _words("nudging")
NOISE_INTERVALS = _words("read_noise_every")
# The names of tensors.
WEIGHTS, BIASES, FEEDBACK_WEIGHTS = "weights", "biases", "feedback_weights"
STATES = "states"

CONNECTION_KINDS = _words("connection_kinds")
BETA_SIGNS = ("fixed", "random", "symmetric")
FEEDBACK_UPDATES = ("own", "shared")
ASYMMETRIES = ("vector-field", "exact")
