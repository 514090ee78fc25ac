"""The previews of a run so far, to look back at how it learnt; no Qt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from napari_superres.events import PreviewReady

MOST = 200
MOST_BYTES = 64 * 2**20


class PreviewBook:
    """Previews by step, thinned so that they never take much memory.

    When there are more than `MOST`, or more than `MOST_BYTES`, every second one goes;
    the first and the last stay.
    """

    def __init__(self, events: Iterable[PreviewReady] = ()) -> None:
        self.events: list[PreviewReady] = []
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def steps(self) -> list[int]:
        """Steps, rising."""
        return [event.step for event in self.events]

    @property
    def last(self) -> PreviewReady | None:
        """The latest one."""
        return self.events[-1] if self.events else None

    def add(self, event: PreviewReady) -> None:
        """Take in a preview, in place of one of the same step."""
        at = bisect_left(self.steps, event.step)
        same = at < len(self.events) and self.events[at].step == event.step
        self.events[at : at + int(same)] = [event]
        if len(self.events) > 2 and (len(self.events) > MOST or self._bytes() > MOST_BYTES):
            del self.events[1:-1:2]

    def drop_after(self, step: int) -> None:
        """Forget the previews of later steps."""
        del self.events[bisect_right(self.steps, step) :]

    def nearest(self, step: int) -> int:
        """Return the place of the latest preview at or before a step, else of the first."""
        return max(bisect_right(self.steps, step) - 1, 0)

    def _bytes(self) -> int:
        # the real slices are the same arrays in all of them
        return sum(
            image.nbytes for event in self.events for image in (*event.generated, *event.low_res)
        )


def book_text(book: PreviewBook, place: int, following: bool) -> str:
    """Return the caption over the preview at a place of the book."""
    if not len(book):
        return "Previews"
    step = f"Previews at step {book.events[place].step:,}"
    return step if following else f"{step} of {book.events[-1].step:,}"
