"""What stands for a configuration where runs are asked for."""

from cep.experiments import presets
from cep.experiments.configuration import Configuration
from cep.experiments.presets import Preset


def configuration_of(name: str, value: object) -> Configuration:
    """A configuration: itself, that of a preset, or that of the preset of a name.

    Parameters
    ----------
    name : str
        What the value is called in messages.
    value : Configuration, Preset or str

    Raises
    ------
    TypeError
        The value is something else.
    ValueError
        There is no preset of this name.
    """
    if isinstance(value, str):
        return presets.get(value).configuration
    if isinstance(value, Preset):
        return value.configuration
    if isinstance(value, Configuration):
        return value
    raise TypeError(
        f"{name} must be a Configuration, a Preset or the name of one such as 'EP-1h', "
        f"got {type(value).__name__} {value!r}"
    )
