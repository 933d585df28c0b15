"""Published devices: fits of the models to measurements, as in IBM's aihwkit.

Arguments replace parameters of the fit: ``ecram(dw_min=0.001)``.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from cep.devices.synapses import ConstantStep, ExponentialStep, LinearStep, Synapse

_Model = TypeVar("_Model", bound=Synapse)

# All presets, by name.
ALL: dict[str, Callable[..., Synapse]] = {}


def _preset(
    name: str, model: type[_Model], what: str, reference: str, **fit: Any
) -> Callable[..., _Model]:
    def preset(**changes: Any) -> _Model:
        return model(**fit | changes)

    preset.__name__ = preset.__qualname__ = name
    preset.__annotations__["return"] = model
    preset.__doc__ = f"{what}\n\n    References\n    ----------\n    {reference}\n    "
    ALL[name] = preset
    return preset


idealized = _preset(
    "idealized",
    ConstantStep,
    "A device with 10 000 steps of constant size from bound to bound.",
    "The idealized device of aihwkit (Rasch et al., 2021).",
    dw_min=0.0002,
    dw_min_std=0.3,
    dw_min_dtod=0.3,
    w_max_dtod=0.3,
    w_min_dtod=0.3,
)

gokmen_vlasov = _preset(
    "gokmen_vlasov",
    ConstantStep,
    "The device proposed for training with crossbars of resistive devices.",
    'Gokmen and Vlasov, 2016, "Acceleration of deep neural network training with '
    'resistive cross-point devices: design considerations".',
    dw_min=0.0016,
    dw_min_std=0.3,
    dw_min_dtod=0.3,
    up_down_dtod=0.01,
    w_max_dtod=0.3,
    w_min_dtod=0.3,
)

reram_es = _preset(
    "reram_es",
    ExponentialStep,
    "A resistive memory (ReRAM) with exponential steps and a large write noise.",
    'Gong et al., 2018, "Signal and noise extraction from analog memory elements for '
    'neuromorphic computing".',
    dw_min=0.00135,
    up_down=0.259359,
    A_up=-1.18445,
    A_down=-0.081404,
    gamma_up=5.0,
    gamma_down=5.0,
    a=-0.5,
    b=-0.5,
    dw_min_dtod=0.2,
    up_down_dtod=0.05,
    w_max_dtod=0.3,
    w_min_dtod=0.3,
    dw_min_std=5.0,
    write_noise_std=75.0,
)

capacitor = _preset(
    "capacitor",
    LinearStep,
    "A leaking capacitor that is charged by transistors.",
    'Li et al., 2018, "Capacitor-based cross-point array for analog neural network with '
    'record symmetry and linearity".',
    dw_min=0.005,
    gamma_up=0.05,
    gamma_down=0.05,
    gamma_up_dtod=0.01,
    gamma_down_dtod=0.01,
    mult_noise=False,
    lifetime=1e6,
    lifetime_dtod=0.3,
    dw_min_dtod=0.1,
    up_down_dtod=0.06,
    w_max_dtod=0.07,
    w_min_dtod=0.07,
    dw_min_std=0.3,
)

ecram = _preset(
    "ecram",
    LinearStep,
    "An electrochemical memory (ECRAM) with lithium.",
    'Tang et al., 2018, "ECRAM as scalable synaptic cell for high-speed, low-power '
    'neuromorphic computing".',
    dw_min=0.002,
    w_max=1.1724,
    w_min=-0.8276,
    gamma_up=0.1153,
    gamma_down=0.5085,
    gamma_up_dtod=0.05,
    gamma_down_dtod=0.05,
    dw_min_dtod=0.1,
    up_down_dtod=0.01,
    w_max_dtod=0.05,
    w_min_dtod=0.05,
    dw_min_std=0.3,
)

ecram_mo = _preset(
    "ecram_mo",
    LinearStep,
    "An electrochemical memory of metal oxide, compatible with CMOS.",
    'Kim et al., 2019, "Metal-oxide based, CMOS-compatible ECRAM for deep learning accelerator".',
    dw_min=2.8214e-4,
    w_max=1.1714,
    w_min=-0.8286,
    gamma_up=0.4152,
    gamma_down=0.7342,
    gamma_up_dtod=0.05,
    gamma_down_dtod=0.05,
    dw_min_dtod=0.1,
    up_down_dtod=0.01,
    w_max_dtod=0.05,
    w_min_dtod=0.05,
    dw_min_std=2.0,
)
