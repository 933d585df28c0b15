"""Shared utilities: validation, files, signals, parallel calls, optional imports, tables."""
