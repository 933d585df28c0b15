"""Networks from files."""

import os

from cep.experiments import checkpoints
from cep.io import tensor_files
from cep.network import files
from cep.network.network import FORMAT, Network


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `Network.save` wrote, or the one in a checkpoint of a run.

    Parameters
    ----------
    path : path
        The file. Nothing in it is executed.

    Returns
    -------
    Network
        With the parameters and the random state it had, without states.

    Raises
    ------
    CheckpointError
        The file is neither, or truncated, or was changed after it was written.
    OSError
        The file cannot be read.
    ImportError
        Where safetensors is not installed.

    Examples
    --------
    >>> net = cep.Network([64, 128, 10], seed=0)
    >>> net.save("digits.safetensors")
    >>> cep.load("digits.safetensors").sizes
    (64, 128, 10)
    """
    content = tensor_files.read(path, "network or checkpoint", [FORMAT, checkpoints.FORMAT])
    if content.format == checkpoints.FORMAT:
        return checkpoints.from_file(path, content).make_network()
    return files.from_file(path, content)
