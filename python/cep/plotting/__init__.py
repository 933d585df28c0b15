"""Plots of networks and training."""
