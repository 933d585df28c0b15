"""Instruction set and threads of the engine."""

from cep import _cep
from cep._util import validation


def instruction_set() -> str:
    """Name of the instruction set in use: "baseline", "avx2", "avx512", or "neon" on arm64.

    It is the widest one that the processor has, or the one named by the environment variable
    CEP_INSTRUCTION_SET. Results of different sets differ by rounding.
    """
    return _cep.instruction_set()


def get_num_threads() -> int:
    """The number of threads that the engine may use for one network."""
    return _cep.get_num_threads()


def set_num_threads(count: int) -> None:
    """Set the number of threads that the engine may use for one network, in this process.

    The default is the environment variable CEP_NUM_THREADS, then OMP_NUM_THREADS, then the number
    of processors that affinity and the limits of a container allow. If CEP_NUM_THREADS is not a
    number from 1 to 1024, creating a network raises ValueError. Results do not depend on the number
    of threads. If several networks train at once, in different Python threads, each uses one.

    Parameters
    ----------
    count : int
        1 to 1024.

    Raises
    ------
    TypeError, ValueError
        For another value.
    """
    _cep.set_num_threads(validation.integer("count", count))
