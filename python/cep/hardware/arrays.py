"""What the devices of a network are, as arrays."""

from typing import Any

from numpy.typing import NDArray

from cep._util import validation
from cep.network.network import Network


def device_arrays(net: Network) -> dict[str, NDArray[Any]]:
    """Return all that the devices of a network are beside its parameters, in place.

    Parameters
    ----------
    net : Network
        Any; one of ideal synapses has none.

    Returns
    -------
    dict of str to numpy.ndarray
        By name: ``weights.w_max.0`` is the upper bound of each weight of connection 0, if bounds
        vary from device to device; likewise the other quantities with a ``_dtod``.
        ``weights.write_noise.0`` is what products see beside the weight. ``weights.counters.0``
        are five counts: updates, batches, synapses written, pulses up and pulses down.

    Raises
    ------
    TypeError
        For what is no network.
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    return net._device_arrays()
