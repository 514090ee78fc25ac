"""Words as a line to be pasted into a terminal."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable

PLAIN = re.compile(r"[\w./\\:=+-]+")
"""Letters of words that cmd and PowerShell leave whole; a comma parts words in the latter."""


def as_line(words: Iterable[str], windows: bool = os.name == "nt") -> str:
    """Return words as one line: for cmd and PowerShell on Windows, else for a POSIX shell."""
    return " ".join(map(_for_windows if windows else shlex.quote, words))


def _for_windows(word: str) -> str:
    quoted = subprocess.list2cmdline([word])
    return quoted if PLAIN.fullmatch(word) or quoted.startswith('"') else f'"{quoted}"'
