"""Learning rules, optimizers, gradients, the theorem check, suggestions."""
