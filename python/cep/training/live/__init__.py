"""A live view of training, in a notebook, in a terminal, or as plain lines.

rich and matplotlib are imported only when a view begins.
"""

from cep.training.live.view import LiveView

__all__ = ["LiveView"]
