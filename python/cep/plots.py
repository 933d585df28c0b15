"""Pictures of what networks did. matplotlib is imported when one is drawn."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cep.training import History

# Okabe and Ito's palette, told apart by colour-blind readers and in grey.
_BLUE, _VERMILION = "#0072B2", "#D55E00"


def plot_history(history: "History", ax: "Axes | None" = None, title: str = "") -> "Axes":
    """Draw training and validation error against epochs.

    Parameters
    ----------
    history : History
        What `fit` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.
    title : str
        Of the picture.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.figure.savefig(path)`` saves the picture.

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    """
    axes = _axes() if ax is None else ax
    epochs = range(1, len(history) + 1)
    percent = [100 * error for error in history.train_error]
    axes.plot(epochs, percent, color=_BLUE, linestyle="--", label="training (while learning)")
    if history.validation_error:
        percent = [100 * error for error in history.validation_error]
        axes.plot(epochs, percent, color=_VERMILION, label="validation")
    axes.set(xlabel="epoch", ylabel="error (%)", ylim=(0, None), title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes


def _axes() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install 'cep[plot]'") from error
    import sys

    # In a notebook the figure should appear by itself; in a script nothing should open a window.
    if "matplotlib.pyplot" in sys.modules:
        return sys.modules["matplotlib.pyplot"].subplots(layout="constrained")[1]
    return Figure(layout="constrained").subplots()
