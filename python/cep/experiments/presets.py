"""Configurations of the published experiments, with the published errors.

The numbers are from Ernoult et al. (2020, arXiv 2005.04168) and the README of their code, from
Ernoult et al. (NeurIPS 2019, arXiv 1905.13633) for MNIST in batches of 20, and from Laborieux et
al. (2021, arXiv 2006.03824) for CIFAR-10.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from cep._util import validation
from cep.experiments.configuration import RULES, Configuration

__all__ = ["PRESETS", "Preset", "Published", "defaults", "get"]


@dataclass(frozen=True)
class Published:
    """Published errors as shares: 0.02 is 2 %. None if a number was not published."""

    test_mean: float
    """Mean test error after the last epoch."""
    test_deviation: float | None
    """Standard deviation of the test error over the trials."""
    train: float | None
    """Mean training error, accumulated during the last epoch."""


@dataclass(frozen=True)
class Preset:
    """A configuration with a name."""

    name: str
    configuration: Configuration
    published: Published | None
    """The published errors; None if there are no published ones."""

    def with_bptt(self) -> "Preset":
        """The same network and hyperparameters, trained with the exact gradient."""
        return replace(
            self,
            name=f"{self.name} with BPTT",
            configuration=self.configuration.replace(rule="bptt"),
            published=None,
        )

    def with_fixed_feedback(self) -> "Preset":
        """The same without learning of the feedback weights, which keep their initial values.

        Raises
        ------
        ValueError
            If the feedback is tied.
        """
        if self.configuration.feedback == "tied":
            raise ValueError(
                f"{self.name} has tied feedback, which has no learning rates; expected a preset "
                "with untied feedback, such as C-VF-1h"
            )
        return replace(
            self,
            name=f"{self.name} with fixed feedback",
            configuration=self.configuration.replace(feedback_learning_rates=0),
            published=None,
        )


_EP_1H = Configuration(
    data="mnist",
    validation_fraction=0,
    test_every_epoch=True,
    relaxation="synchronous",
    beta_sign="fixed",
    hidden=(512,),
    rule="ep",
    learning_rates=(0.08, 0.04),
    epochs=30,
    free_steps=30,
    nudged_steps=10,
    beta=0.1,
)
_EP_2H = _EP_1H.replace(
    hidden=(512, 512),
    learning_rates=(0.2, 0.05, 0.005),
    epochs=50,
    free_steps=100,
    nudged_steps=20,
    beta=0.5,
)
_C_EP_1H = _EP_1H.replace(
    rule="c-ep",
    learning_rates=(0.0056, 0.0028),
    epochs=100,
    free_steps=40,
    nudged_steps=15,
    beta=0.2,
)
_C_EP_2H = _EP_2H.replace(rule="c-ep", learning_rates=(0.01, 0.0018, 0.00018), epochs=150)
_P_CONV = _EP_1H.replace(
    hidden=("conv2d:32:5x5:pool=max", "conv2d:64:5x5:pool=max"),
    activation="hard_sigmoid",
    learning_rates=(0.15, 0.035, 0.015),
    epochs=40,
    free_steps=200,
    nudged_steps=10,
    beta=0.4,
)
# Too long for a few processors: 120 epochs of 391 batches.
_CIFAR10 = Configuration(
    data="cifar10",
    validation_fraction=0,
    test_every_epoch=True,
    flip=True,
    crop=4,
    relaxation="synchronous",
    hidden=(
        "conv2d:128:3x3:padding=1x1:pool=max",
        "conv2d:256:3x3:padding=1x1:pool=max",
        "conv2d:512:3x3:padding=1x1:pool=max",
        "conv2d:512:3x3:pool=max",
    ),
    activation="half_hard_sigmoid",
    readout=True,
    rule="ep",
    beta=1.0,
    beta_sign="symmetric",
    free_steps=250,
    nudged_steps=25,
    learning_rates=(0.25, 0.15, 0.1, 0.08, 0.05),
    momentum=0.9,
    weight_decay=3e-4,
    batch_size=128,
    epochs=120,
    # One half period of a cosine, with one factor per epoch.
    learning_rate_schedule=[
        (epoch, (1 + math.cos(math.pi * (epoch - 1) / 120)) / 2) for epoch in range(1, 121)
    ],
)
_REAL_TIME = {"setting": "real-time", "dt": 0.2, "clamp": True, "beta": 0.5}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("EP-1h", _EP_1H, Published(0.0200, 0.0013, 0.0020)),
        Preset("EP-2h", _EP_2H, Published(0.0195, 0.0010, 0.0014)),
        Preset("C-EP-1h", _C_EP_1H, Published(0.0228, 0.0016, 0.0041)),
        Preset("C-EP-2h", _C_EP_2H, Published(0.0244, 0.0014, 0.0031)),
        Preset(
            "C-VF-1h",
            _C_EP_1H.replace(
                feedback="untied", beta_sign="random", learning_rates=(0.0076, 0.0038)
            ),
            Published(0.0243, 0.0008, 0.0077),
        ),
        Preset(
            "C-VF-2h",
            _C_EP_2H.replace(
                feedback="untied",
                beta_sign="random",
                beta=0.35,
                learning_rates=(0.009, 0.0016, 0.00016),
            ),
            Published(0.0297, 0.0019, 0.0158),
        ),
        # For these two, only the learning rates are published. The other values are those of EP.
        Preset("EP-VF-1h", _EP_1H.replace(feedback="untied", learning_rates=(0.15, 0.075)), None),
        Preset(
            "EP-VF-2h", _EP_2H.replace(feedback="untied", learning_rates=(0.3, 0.09, 0.009)), None
        ),
        Preset(
            "EB-1h",
            _EP_1H.replace(
                **_REAL_TIME, learning_rates=(0.1, 0.05), free_steps=100, nudged_steps=12
            ),
            Published(0.0206, None, None),
        ),
        Preset(
            "EB-2h",
            _EP_2H.replace(
                **_REAL_TIME, learning_rates=(0.4, 0.1, 0.01), free_steps=400, nudged_steps=40
            ),
            Published(0.0201, None, None),
        ),
        Preset(
            "P-3h",
            _EP_2H.replace(
                hidden=(512, 512, 512),
                learning_rates=(0.2, 0.05, 0.01, 0.002),
                epochs=100,
                free_steps=180,
            ),
            Published(0.0201, 0.0018, 0.0010),
        ),
        Preset("P-conv", _P_CONV, Published(0.0102, 0.0004, 0.0054)),
        Preset("CIFAR-10", _CIFAR10, Published(0.117, None, None)),
    )
}

# Rows of the table with alternating free phases. One alternating step does the work of two
# synchronous ones, so two hidden layers need half the steps.
_HALF = {"free_steps": 50, "tolerance": 1e-6}
_ALTERNATING: dict[str, dict[str, Any]] = {
    "EP-1h": {},
    "C-EP-1h": {},
    "C-VF-1h": {},
    "EP-2h": _HALF,
    "C-EP-2h": _HALF,
    "C-VF-2h": _HALF,
}
for _name, _changes in _ALTERNATING.items():
    _published = PRESETS[_name]
    PRESETS[f"{_name}-alternating"] = replace(
        _published,
        name=f"{_name}-alternating",
        configuration=_published.configuration.replace(relaxation="alternating", **_changes),
    )

# The published values, by rule and number of hidden layers.
_MNIST = {
    ("ep", 1): _EP_1H,
    ("ep", 2): _EP_2H,
    ("c-ep", 1): _C_EP_1H,
    ("c-ep", 2): _C_EP_2H,
}


def get(name: str) -> Preset:
    """The preset of this name.

    Raises
    ------
    ValueError
        If no preset has this name. The message contains the most similar name and all names.
    """
    if name not in PRESETS:
        raise ValueError(validation.unknown("preset", name, PRESETS))
    return PRESETS[name]


def configuration_of(name: str, value: object) -> Configuration:
    """The configuration given by a configuration, a preset or the name of a preset.

    ``name`` stands for the value in the messages of TypeError and ValueError.
    """
    if isinstance(value, str):
        return get(value).configuration
    if isinstance(value, Preset):
        return value.configuration
    if isinstance(value, Configuration):
        return value
    raise TypeError(
        f"{name} must be a Configuration, a Preset or the name of one such as 'EP-1h', "
        f"got {type(value).__name__} {value!r}"
    )


def varying() -> set[str]:
    """Names of the options whose defaults depend on data, rule and depth."""
    first = Configuration()
    return {name for each in _MNIST.values() for name in first.differences(each)} - {"data", "rule"}


def defaults(data: str, rule: str, hidden_layers: int = 1) -> Configuration:
    """The default configuration for a data set, a rule and a depth.

    It is `Configuration()`, and for MNIST the published one, if there is one for this depth. BPTT
    and RBP have the hyperparameters of EP.

    Parameters
    ----------
    data : str
        The data set. "mnist", "fashion_mnist", and "kmnist" have the defaults of MNIST.
    rule : {"ep", "c-ep", "bptt", "rbp"}
        The learning rule.
    hidden_layers : int
        The number of hidden layers, 1 or more.
    """
    validation.choice("rule", rule, RULES)
    kind = "ep" if rule in ("bptt", "rbp") else rule
    published = _MNIST if data in ("mnist", "fashion_mnist", "kmnist") else {}
    return published.get((kind, hidden_layers), Configuration()).replace(rule=rule, data=data)
