"""The engine's option names, instruction set and threads."""
