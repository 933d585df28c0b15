"""A view of a network while it learns, in a notebook, in a terminal, or as plain lines.

rich and matplotlib are imported when a view begins; where there is none, nothing of it runs.
"""

from cep.training.live.view import LiveView

__all__ = ["LiveView"]
