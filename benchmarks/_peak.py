"""The most memory that a process has held at once."""

from __future__ import annotations

import sys


def peak_bytes() -> int:
    """Return this process's largest resident set, in bytes on every system."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
