"""``python -m cep`` and the ``cep`` command."""

import os
import sys


def main() -> None:
    """Run the command line. If a library is missing, show how to install it."""
    _mend_streams()
    try:
        from cep.cli import cep
    except ImportError as error:
        sys.exit(f"the cep command needs {error.name}: pip install {error.name}")
    cep(prog_name="cep")


def _mend_streams() -> None:
    """Open closed streams on the null device, and replace characters that cannot be encoded."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (until the end)
        elif mode == "w":
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
