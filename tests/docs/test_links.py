"""Every link of a page leads somewhere: to a file that is there, to a heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, PAGES, ROOT, name_of

EVERY_PAGE = [*PAGES, ROOT / "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as the site and code forges make them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    words = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"\s", "-", word) for word in words}


def dead(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(ELSEWHERE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert not dead(page)


def test_a_link_that_leads_nowhere_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A head\n[a](#a-head) [b](#b-head) [c](page.md) [d](gone.md)\n")
    assert dead(page) == ["#b-head", "gone.md"]


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted(file.name for file in (ROOT / "docs" / "images").iterdir())
    assert not [name for name in pictures if f"images/{name}" not in shown]
