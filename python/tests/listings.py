"""Listings of the documents."""

import re
from pathlib import Path


def listings(page: Path, *languages: str) -> list[str]:
    """What stands between the fences of these languages, in its order."""
    fenced = rf"^```(?:{'|'.join(languages)})\n(.*?)^```$"
    return re.findall(fenced, page.read_text(), re.DOTALL | re.MULTILINE)
