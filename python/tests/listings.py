"""Code blocks of the documents."""

import re
from pathlib import Path


def listings(page: Path, *languages: str) -> list[str]:
    """The code blocks of these languages, in order."""
    return blocks_of(page.read_text(), *languages)


def blocks_of(text: str, *languages: str) -> list[str]:
    """The same of a text."""
    fenced = rf"^```(?:{'|'.join(languages)})\n(.*?)^```$"
    return re.findall(fenced, text, re.DOTALL | re.MULTILINE)
