"""``python -m cep`` and the ``cep`` command."""

import os
import sys


def main() -> None:
    """Run the command line; say what is missing where its libraries are not installed."""
    _mend_streams()
    try:
        from cep.cli import cep
    except ImportError as error:
        sys.exit(f"the cep command needs {error.name}: pip install {error.name}")
    cep(prog_name="cep")


def _mend_streams() -> None:
    """Let closed streams lead nowhere, and characters that a stream cannot encode be replaced."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (until the end)
        elif mode == "w":
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
