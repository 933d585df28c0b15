"""Networks from files."""

import os

from cep.experiments import checkpoints
from cep.io import tensor_files
from cep.network import files
from cep.network.network import FORMAT, Network


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from a file of `Network.save` or a checkpoint of a run.

    Parameters
    ----------
    path : path
        The file. No code in it is executed.

    Returns
    -------
    Network
        The network with its saved parameters and random state. The states of units are not saved.

    Raises
    ------
    CheckpointError
        If the file is neither a network nor a checkpoint, or is truncated or modified.
    OSError
        If the file cannot be read.
    ImportError
        If safetensors is not installed.

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
