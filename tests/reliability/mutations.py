"""Ways to damage files: bytes cut and flipped, JSON made hostile, files made into other things."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Mutation = Callable[[Path, random.Random], None]

OUTSIDE = "../../../outside"
HOSTILE: tuple[str, ...] = (
    "null", "[]", "{}", '""', "true", "-1", "0", "1e308", "-1e-308", "NaN", "-Infinity",
    "1" + "0" * 400, "1" + "0" * 5000, f'"{OUTSIDE}"', '"/etc/passwd"', '"\\u0000"', '"\\ud800"',
    '"' + "x" * 100_000 + '"', "[" * 100_000, '{"a":' * 50_000, "[[[[[[1]]]]]]", "3.5",
    "1000000000000", '"step"', "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
)  # fmt: skip
MARK = "\x01mark\x01"


def cut(file: Path, rng: random.Random) -> None:
    """Cut it off: anywhere, and often within the first or last bytes."""
    data = file.read_bytes()
    size = len(data)
    keep = rng.choice([0, 1, 7, 8, 16, size // 2, max(size - 1, 0), rng.randrange(size + 1)])
    file.write_bytes(data[:keep])


def flip(file: Path, rng: random.Random) -> None:
    """Flip from one to 64 bits, often where formats keep their headers."""
    data = bytearray(file.read_bytes())
    if not data:
        return
    first, last = rng.choice([(0, len(data)), (0, 64), (0, 512), (len(data) - 512, len(data))])
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        place = rng.randrange(max(first, 0), max(min(last, len(data)), 1))
        data[place] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def overwrite(file: Path, rng: random.Random) -> None:
    """Put zeros, ones or noise over a stretch: a claimed size becomes absurd."""
    data = bytearray(file.read_bytes())
    if not data:
        return
    width = rng.choice([1, 2, 4, 8, 64, 512])
    start = rng.randrange(min(len(data), rng.choice([64, 1024, len(data)])))
    stuff = rng.choice([b"\x00" * width, b"\xff" * width, b"\x7f" * width, rng.randbytes(width)])
    data[start : start + width] = stuff
    file.write_bytes(data)


def rearrange(file: Path, rng: random.Random) -> None:
    """Double, drop or swap stretches, or add noise at the end."""
    data = file.read_bytes()
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    kind = rng.randrange(4)
    if kind == 0:
        data = data[:b] + data[a:b] + data[b:]
    elif kind == 1:
        data = data[:a] + data[b:]
    elif kind == 2:
        data = data[b:] + data[:b]
    else:
        data += rng.randbytes(1000)
    file.write_bytes(data)


def replace(file: Path, rng: random.Random) -> None:
    """Write something else under its name."""
    other = rng.choice(
        [b"", b"\n", b"not what the name says", b"\x00" * 4096, b"II*\x00", b"\x93NUMPY", b"{}",
         b"[]", b"\xff\xfe\x00", b"PK\x03\x04" + b"\x00" * 100, b"\x80\x04cos\nsystem\n."]
    )  # fmt: skip
    file.write_bytes(other)


def odd_kind(file: Path, rng: random.Random) -> None:
    """Make it a folder, a pipe that nobody writes to, a link to itself, to nothing, to zeros."""
    kind = rng.randrange(6)
    file.unlink()
    if kind == 0:
        file.mkdir()
    elif kind == 1:
        os.mkfifo(file)
    elif kind == 2:
        file.symlink_to(file.name)
    elif kind == 3:
        file.symlink_to("/nowhere/at/all")
    elif kind == 4:
        file.symlink_to("/dev/zero")


def hostile_json(file: Path, rng: random.Random) -> None:
    """Replace, drop, double or rename one value of a JSON file."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # lines of JSON: one of them
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[rng.randrange(len(lines))] = rng.choice(HOSTILE)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    holder, key = rng.choice([(None, None), *_places(content)] if rng.random() < 0.05 else (
        _places(content) or [(None, None)]
    ))  # fmt: skip
    if holder is None:
        file.write_text(rng.choice(HOSTILE), encoding="utf-8")
        return
    kind = rng.random()
    if kind < 0.15:
        del holder[key]
    elif kind < 0.25 and isinstance(holder, dict):
        holder[rng.choice([OUTSIDE, "", "__class__", "\u202e"])] = holder.pop(key)
    else:
        holder[key] = MARK
    text = json.dumps(content).replace(json.dumps(MARK), rng.choice(HOSTILE))
    file.write_text(text, encoding="utf-8")


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a JSON document."""
    found: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        keys: list[Any] = list(content)
    elif isinstance(content, list):
        keys = list(range(len(content)))
    else:
        return found
    for key in keys:
        found.append((content, key))
        found += _places(content[key])
    return found


def lose(file: Path, rng: random.Random) -> None:
    """Take the file away, or all of the folder that it lies in."""
    if rng.random() < 0.7:
        file.unlink()
    else:
        shutil.rmtree(file.parent)


BYTES: tuple[Mutation, ...] = (cut, flip, flip, overwrite, overwrite, rearrange, replace, odd_kind)
JSON: tuple[Mutation, ...] = (hostile_json,) * 5 + (cut, flip, replace, odd_kind)


def choose(file: Path, rng: random.Random) -> Mutation:
    """Return a mutation that suits a file."""
    return rng.choice(JSON if file.suffix in (".json", ".jsonl") else BYTES)
