"""Keep triton out of a process in which Mesa's OpenGL has brought an LLVM.

Mesa draws in software, and on some graphics cards, with LLVM. torch's CUDA builds import triton
with their first optimiser, and triton holds another LLVM, which ends the process without a word
where it comes second (triton 3.7.1 with Mesa's LLVM 15 and 19; not with 20). Nothing here compiles
with triton, and torch does without it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import cast

MAPPED_FILES = Path("/proc/self/maps")


def keep_triton_out() -> bool:
    """Have torch find no triton, if that would end this process; say whether so.

    Nothing is done where triton is there already, or no LLVM, or no `/proc` (not Linux, where
    torch comes without triton). Other plugins then find no triton either: `torch.compile` raises.
    """
    modules = cast(dict[str, ModuleType | None], sys.modules)
    if "triton" not in modules and _llvm_is_loaded():
        modules["triton"] = None  # as Python has it: importing it raises ModuleNotFoundError
    return modules.get("triton", sys) is None


def _llvm_is_loaded() -> bool:
    try:
        return "/libLLVM" in MAPPED_FILES.read_text(errors="replace")
    except OSError:
        return False
