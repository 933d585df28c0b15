"""Tests that build with Swift."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

needs_swift = pytest.mark.skipif(shutil.which("swift") is None, reason="Swift is not installed")


def run(*command: str | Path, folder: Path) -> str:
    """Run a command that must succeed; return its output."""
    # Without Python's settings, so that a Swift program finds what it needs by itself.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
