"""``python -m cep`` and the ``cep`` command."""

import sys


def main() -> None:
    """Run the command line; say what is missing where its libraries are not installed."""
    try:
        from cep.cli import cep
    except ImportError as error:
        sys.exit(f"the cep command needs {error.name}: pip install {error.name}")
    cep(prog_name="cep")


if __name__ == "__main__":
    main()
