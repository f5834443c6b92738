"""Checkpoints that are no longer needed: those of runs that have ended well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .checkpoints import WRITING


class Freed(NamedTuple):
    """Checkpoints of a run: its folder, their folders, and their bytes."""

    run: Path
    checkpoints: tuple[Path, ...]
    size: int


def superfluous(results: Path) -> Iterator[Freed]:
    """Yield the checkpoints of finished runs (those with a `cost.json`), of their earlier settings too.

    A run under way or one that failed keeps what it goes on from; logs and TensorBoard's files stay.
    """
    for root in sorted(Path(results).rglob("checkpoints")):
        if not root.is_dir() or not (root.parent / "cost.json").exists():
            continue
        found = tuple(sorted(path for name in ("checkpoint-*", WRITING) for path in root.glob(f"*/{name}")))
        if found:
            yield Freed(root.parent, found, sum(map(size_of, found)))


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def clean(results: Path) -> Iterator[str]:
    """Remove what is superfluous and yield a line for each run, one for all, and one for what is kept of frozen encoders.

    Their states are no run's own: further seeds and predictions read them too, and would compute them again.
    """
    total = 0
    for freed in superfluous(results):
        for path in freed.checkpoints:
            shutil.rmtree(path)
        total += freed.size
        yield f"{freed.run}: {len(freed.checkpoints)} checkpoints, {freed.size / 1e9:.3f} GB"
    yield f"{total / 1e9:.3f} GB freed; runs that have not ended well keep their checkpoints"
    states = Path(results) / "states"
    if states.is_dir():
        kept = f"{size_of(states) / 1e9:.3f} GB kept, what frozen encoders make of haplotypes"
        yield f"{states}: {kept}; may be deleted while no job runs, it is made again where it is needed"
