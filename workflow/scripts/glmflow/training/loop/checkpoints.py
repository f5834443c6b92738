"""Checkpoints that are whole or absent, and belong to one run: its settings and its inputs."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.files import follow_umask, sha256

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
WRITING = ".writing"
KEPT = 2
"""Checkpoints that are kept: the newest, and one more in case it is damaged."""


class Checkpoints:
    """The checkpoints of a run, in a folder of `root` that is named by the hash of the run's identity.

    Parameters
    ----------
    root
        Folder of the checkpoints of this run and of its earlier settings.
    identity
        Everything the weights depend on, as JSON data: settings and fingerprints of the inputs. A run never continues
        from a checkpoint of another identity.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any]):
        self.root, self.identity = root, json.loads(json.dumps(identity))
        self.hash = identity_hash(self.identity)
        self.folder = root / self.hash[:12]
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / WRITING, ignore_errors=True)

    def path(self, step: int) -> Path:
        """Return the folder of the checkpoint at an update."""
        return self.folder / f"checkpoint-{step}"

    def newest(self) -> Path | None:
        """Return the newest checkpoint that is whole; damaged ones are passed over with a message."""
        for path in sorted(self.folder.glob("checkpoint-*"), key=step_of, reverse=True):
            problem = damage(path)
            if problem is None:
                return path
            log.warning("%s is damaged (%s): passed over", path, problem)
        return None

    def explain_others(self) -> None:
        """Say which checkpoints of other settings or inputs are not used, and what differs."""
        for folder in sorted(self.root.glob("*")):
            found = sorted(folder.glob(f"checkpoint-*/{MANIFEST}"), key=lambda path: step_of(path.parent))
            if folder != self.folder and found:
                other = json.loads(found[-1].read_text())["identity"]
                changed = "; ".join(differences(other, self.identity)[:5])
                log.warning("%s is of other settings or inputs and is not used: %s", found[-1].parent, changed)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield the folder that a checkpoint is written into before it gets its name."""
        folder = self.folder / WRITING
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, written: Path, step: int) -> None:
        """Give a written checkpoint its manifest and its name, and remove the oldest ones."""
        files = sorted(path for path in written.rglob("*") if path.is_file())
        manifest = {
            "step": step,
            "hash": self.hash,
            "identity": self.identity,
            "files": {str(path.relative_to(written)): sha256(path) for path in files},
        }
        (written / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        follow_umask(written)
        shutil.rmtree(self.path(step), ignore_errors=True)
        written.rename(self.path(step))
        for path in sorted(self.folder.glob("checkpoint-*"), key=step_of)[:-KEPT]:
            shutil.rmtree(path)


def identity_hash(identity: Mapping[str, Any]) -> str:
    """Return the SHA-256 of JSON data, independent of the order of keys."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def step_of(checkpoint: Path) -> int:
    """Return the update a checkpoint was written after, from its name."""
    return int(checkpoint.name.rsplit("-", 1)[1])


def damage(checkpoint: Path) -> str | None:
    """Return what is wrong with a checkpoint, or None where every file is as it was written."""
    try:
        files = json.loads((checkpoint / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError):
        return "no manifest that can be read"
    for name, digest in files.items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is missing"
        if sha256(path) != digest:
            return f"{name} has changed"
    return None


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Return `key.key: old -> new` for every value that differs between two JSON values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            line
            for key in keys
            for line in differences(old.get(key, "(none)"), new.get(key, "(none)"), f"{place}.{key}" if place else key)
        ]
    return [] if old == new else [f"{place}: {old} -> {new}"]


BLOCK = 1 << 20
"""Bytes of one sample of a large file."""
SAMPLES = 32


def fingerprint(paths: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """Return a digest of each file's content by its name; a folder counts with all its files.

    Of a file above 32 MB its size and 32 blocks of 1 MB, evenly spread from its first to its last byte, are read:
    genomes and tracks are distinguished at once, however large they are.
    """
    found: dict[str, str] = {}
    for path in map(Path, paths):
        files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        for file in files:
            found[str(file)] = _sampled_digest(file)
    return found


def table_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's columns and rows."""
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return hashlib.sha256(",".join(table.columns).encode() + rows.tobytes()).hexdigest()


def _sampled_digest(path: Path) -> str:
    """Return the SHA-256 of a file's size and of all or some of its content."""
    size = path.stat().st_size
    whole = size <= BLOCK * SAMPLES
    starts = range(0, size, BLOCK) if whole else [(size - BLOCK) * n // (SAMPLES - 1) for n in range(SAMPLES)]
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as handle:
        for start in starts:
            handle.seek(start)
            digest.update(handle.read(BLOCK))
    return digest.hexdigest()
