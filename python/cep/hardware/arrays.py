"""The properties of the devices of a network, as arrays."""

from typing import Any

from numpy.typing import NDArray

from cep._util import validation
from cep.network.network import Network


def device_arrays(net: Network) -> dict[str, NDArray[Any]]:
    """Return the properties of the devices of a network, as views of its memory.

    Parameters
    ----------
    net : Network
        The network. With ideal synapses, the result is empty.

    Returns
    -------
    dict of str to numpy.ndarray
        The arrays by name. ``weights.w_max.0`` contains the upper bound of each weight of
        connection 0, if bounds vary from device to device. Other quantities with a ``_dtod`` have
        such arrays, too. ``weights.write_noise.0`` is added to the weights in products.
        ``weights.counters.0`` contains the numbers of updates, batches, written synapses, pulses up
        and pulses down.

    Raises
    ------
    TypeError
        If the argument is not a network.
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    return net._device_arrays()
