"""Numbers in the figures of Ernoult et al. (2020); those of its table are in `cep.presets`."""

ROWS = ("EP-1h", "EP-2h", "C-EP-1h", "C-EP-2h", "C-VF-1h", "C-VF-2h")
"""The rows of the published table, as presets."""

TABLE = tuple(name for row in ROWS for name in (row, f"{row}-alternating"))
"""The rows of the table here: each as published, and with alternating free phases."""

OFFICIAL_MILLISECONDS = {
    "EP-1h": 14, "C-EP-1h": 43, "C-VF-1h": 25, "EP-2h": 100, "C-EP-2h": 115, "C-VF-2h": 195,
}  # fmt: skip
"""Time of a batch of the official code, measured on two cores of a processor with AVX-512."""

ONE_HIDDEN_LAYER = ("EP-1h", "C-EP-1h", "C-VF-1h")
"""The rows that train in minutes to an hour."""

FEEDBACK_ANGLES = (0.0, 22.5, 45.0, 67.5, 90.0, 112.5, 135.0, 157.5, 180.0)
"""Initial degrees between forward and feedback weights in Fig. 4 (its 167.5 is 157.5)."""

_ANGLE_ERRORS = {
    "C-VF-1h": (0.024, 0.024, 0.024, 0.025, 0.025, 0.046, 0.87, 0.91, 0.925),
    "C-VF-2h": (0.030, 0.035, 0.038, 0.046, 0.0505, 0.20, 0.59, 0.74, 0.78),
}

_INITIAL_ANGLES = {
    "EP-1h": 17.0,
    "EP-2h": 49.0,
    "C-EP-1h": 50.0,
    "C-EP-2h": 53.0,
    "C-VF-1h": 65.0,
    "C-VF-2h": 61.0,
}


def error_at_angle(name: str, feedback_angle: float) -> float | None:
    """Test error after training from an initial feedback angle; None if none is published.

    Read from Fig. 5a, to about 0.0005. The order of the points by angle is inferred.
    """
    errors = dict(zip(FEEDBACK_ANGLES, _ANGLE_ERRORS.get(published_row(name), ()), strict=False))
    return errors.get(feedback_angle)


def initial_angle(name: str) -> float | None:
    """Degrees between the total update of a row and the total gradient of BPTT, before training.

    Read from Fig. 5a, to about half a degree; None for presets outside the table.
    """
    return _INITIAL_ANGLES.get(published_row(name))


def published_row(name: str) -> str:
    """The published preset of which a preset is a variant: "C-VF-1h" of "C-VF-1h-alternating"."""
    return name.partition(" ")[0].removesuffix("-alternating")
