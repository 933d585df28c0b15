"""What the engine runs on: instruction set and threads."""

from cep import _cep
from cep._util import validation


def instruction_set() -> str:
    """Name of the instruction set in use: "baseline", "avx2", "avx512", or "neon" on arm64.

    It is the widest that the processor has, or what the environment variable CEP_INSTRUCTION_SET
    asks for. Results of different sets differ by rounding.
    """
    return _cep.instruction_set()


def get_num_threads() -> int:
    """Threads that the engine may use for one network."""
    return _cep.get_num_threads()


def set_num_threads(count: int) -> None:
    """Set how many threads the engine may use for one network, in this process.

    The default is the environment variable CEP_NUM_THREADS, then OMP_NUM_THREADS, then the number
    of processors that affinity and the limits of a container allow. If CEP_NUM_THREADS is not a
    number from 1 to 1024, making a network raises ValueError. Results do not depend on the number
    of threads, to the last bit. While several networks train at once, in threads of the caller's,
    each uses one.

    Parameters
    ----------
    count : int
        1 to 1024.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    _cep.set_num_threads(validation.integer("count", count))
