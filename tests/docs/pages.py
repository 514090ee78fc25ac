"""The commands and the Python that the documentation shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md"))
    if "reference" not in page.parts and page.name != "CHANGELOG.md"
)
NAMES = ("napari-superres", "torchrun")
PREFIX = "srun "
"""What a command may stand behind in the script of a batch system."""
INLINE = re.compile(r"`((?:napari-superres|torchrun)(?:\s[^`\s]+){2,})`")
"""A command in the text, with an option or an argument; without one it is but a name."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    """Return a page's path below the repository."""
    return page.relative_to(ROOT).as_posix()


def lines_of_code(page: Path) -> list[str]:
    """Return the lines of indented blocks, shell fences and commands in the text, joined."""
    text = page.read_text(encoding="utf-8")
    shell = "".join(body for kind, body in FENCE.findall(text) if kind in ("", "bash", "sh"))
    rest = FENCE.sub("", text)
    indented = "\n".join(line.strip() for line in rest.splitlines() if line.startswith("    "))
    inline = "\n".join(" ".join(words.split()) for words in INLINE.findall(rest))
    return "\n".join((shell, indented, inline)).replace("\\\n", " ").splitlines()


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of every command of ours in a page; those with … are only sketched."""
    found = []
    for line in lines_of_code(page):
        line = line.strip().removeprefix(PREFIX).replace("$SLURM_ARRAY_TASK_ID", "1")
        words = shlex.split(line, comments=True) if line.startswith(NAMES) else []
        if words and "…" not in line and "..." not in line:
            found.append(words[words.index("napari_superres") + 1 :] if words[0] == "torchrun"
                         else words[1:])  # fmt: skip
    return found


def python_blocks(page: Path) -> list[str]:
    """Return the Python of a page."""
    text = page.read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == "python"]
