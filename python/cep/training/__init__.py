"""Training: the loop, history, evaluation, the live view."""
