"""Checkpoints on the node's own disk: read once over the network, then by every process and job from `$TMPDIR`."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glmflow.files import atomic_path

log = logging.getLogger(__name__)

SMALLEST = 500 * 2**20
"""Bytes of a checkpoint that is worth a copy."""
ROOM = 1.5
"""Times its size that has to be free."""


def on_node_disk(folder: Path) -> Path:
    """Return a copy of a checkpoint folder on the node's own disk, or the folder itself.

    It is copied where `$TMPDIR` is a folder on another file system with room for it, and the checkpoint is of some size.
    Processes that ask at the same time wait for one copy; a copy whose files are not of the same sizes is made again. The
    scheduler removes `$TMPDIR` when the job ends, where it is the job's own.
    """
    temporary = os.environ.get("TMPDIR")
    if not temporary or not os.path.isdir(temporary):  # noqa: PTH112
        return folder
    files = contents(folder)
    size = sum(bytes_ for bytes_, _ in files.values())
    if size < SMALLEST or not on_other_disk(folder, Path(temporary)):
        return folder
    place = Path(temporary) / f"glmflow-models-{os.getuid()}"
    name = hashlib.sha256(repr((str(folder.resolve()), sorted(files.items()))).encode()).hexdigest()[:16]
    copy = place / name / folder.name
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        with alone(place / f"{name}.lock"):
            if not same_sizes(copy, files):
                if shutil.disk_usage(place).free < ROOM * size:
                    log.info("%s has no room for %s (%.1f GB): read where it is", place, folder, size / 2**30)
                    return folder
                started = time.monotonic()
                with atomic_path(copy) as writing:
                    shutil.copytree(folder, writing)
                    if not same_sizes(writing, files):
                        raise OSError(f"the copy of {folder} is not whole")
                seconds = time.monotonic() - started
                log.info("%s (%.1f GB) copied to %s in %.0f s", folder, size / 2**30, copy, seconds)
    except OSError as error:
        log.warning("%s was not copied to %s (%s): read where it is", folder, place, error)
        return folder
    return copy


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size in bytes and the time of change of every file of a folder, by its name within it."""
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (status.st_size, status.st_mtime_ns) for name, status in found.items()}


def same_sizes(copy: Path, files: dict[str, tuple[int, int]]) -> bool:
    """Whether a folder holds files of these names and sizes, and no others."""
    sizes = {name: size for name, (size, _) in files.items()}
    return copy.is_dir() and {name: size for name, (size, _) in contents(copy).items()} == sizes


def on_other_disk(one: Path, other: Path) -> bool:
    """Whether two folders lie on different file systems."""
    return one.stat().st_dev != other.stat().st_dev


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process of this node at a time do what is in the block."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
