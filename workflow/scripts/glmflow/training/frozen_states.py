"""States of frozen backbones on disk: each distinct sequence is computed once, by whichever job needs it first.

A probe of three seeds, its validation, a job that goes on after its walltime and the prediction all read one encoder. A
store is a folder of parts, each written once and whole, so that jobs and processes share it without locks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.files import atomic_path

from .tuned import Tuned

log = logging.getLogger(__name__)

PART_BYTES = 256 * 2**20
"""Of states that are gathered before they are written: what a job that is killed loses at most."""
LOOK_AGAIN = 1.0
"""Seconds between looks for what other processes are computing."""


class StateStore:
    """Features by sequence; read-only maps of its files, so that data-loader processes share them.

    Parameters
    ----------
    folder
        Of one backbone and one kind of features (see `identity`).
    columns
        Those of its states that are the features of one head; None: all of them.
    """

    def __init__(self, folder: Path, columns: slice | None = None):
        self.folder, self.columns = Path(folder), columns
        self._parts: list[NDArray] = []
        self._read: set[str] = set()
        self._place: dict[bytes, tuple[int, int]] = {}
        self._fresh: dict[bytes, NDArray] = {}
        self._fresh_bytes = 0
        self.refresh()

    def __getstate__(self) -> dict:
        return {"folder": self.folder, "columns": self.columns}

    def __setstate__(self, state: dict) -> None:
        StateStore.__init__(self, state["folder"], state["columns"])

    def refresh(self) -> None:
        """Look for parts that others have written since."""
        for path in sorted(self.folder.glob("*.keys.npy")):
            if path.name in self._read or path.name.startswith("."):  # a dot: being written
                continue
            keys = np.load(path)
            self._read.add(path.name)
            self._parts.append(np.load(path.with_name(path.name.replace(".keys.", ".states.")), mmap_mode="r"))
            for row, key in enumerate(keys):
                self._place.setdefault(key.tobytes(), (len(self._parts) - 1, row))

    def __contains__(self, key: bytes) -> bool:
        return key in self._place or key in self._fresh

    def __len__(self) -> int:
        return len(self._place) + len(self._fresh)

    def add(self, keys: Sequence[bytes], states: NDArray[np.float32]) -> None:
        """Add features `[S, ...]`; written with the next part."""
        self._fresh.update(zip(keys, states))
        self._fresh_bytes += states.nbytes
        if self._fresh_bytes >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was added."""
        if not self._fresh:
            return
        name = f"{platform.node()}.{os.getpid()}.{time.time_ns()}"
        keys = np.frombuffer(b"".join(self._fresh), np.uint8).reshape(len(self._fresh), -1)
        # The keys come last: a part that has them is whole.
        for kind, table in (("states", np.stack(list(self._fresh.values()))), ("keys", keys)):
            with atomic_path(self.folder / f"{name}.{kind}.npy") as temporary:
                np.save(temporary, table)
        self._fresh, self._fresh_bytes = {}, 0
        self.refresh()

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Return the features of sequences, `[S, ...]`, on the CPU.

        Raises
        ------
        KeyError
            One of them was not computed (see `compute`).
        """
        return torch.from_numpy(np.stack([self._one(sequence_key(sequence)) for sequence in sequences]))

    def _one(self, key: bytes) -> NDArray[np.float32]:
        if key in self._fresh:
            found = self._fresh[key]
        else:
            part, row = self._place[key]
            found = self._parts[part][row]
        return found if self.columns is None else found[self.columns]


def open_states(folder: Path, model: Tuned) -> StateStore:
    """Open the features of a model's frozen backbone among those of a study."""
    return StateStore(Path(folder) / identity(model), model.target.kept_columns)


def identity(model: Tuned) -> str:
    """Return a digest of all that kept states depend on: weights, settings, types, and how they are made of states."""
    adapter, device = model.adapter, model.adapter.device.type
    described = [
        adapter.card.family,
        adapter.card.context_bp,
        adapter.config,
        adapter.attention,
        model.target.describe_features(),
        *([f"layer {model.layer}"] if model.layer is not None else []),
    ]
    found = hashlib.sha256(
        json.dumps([*described, str(_computed_in(model)), device], default=str, sort_keys=True).encode()
    )
    for name, value in sorted(adapter.network.state_dict().items()):
        found.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()[:32]


def compute(store: StateStore, model: Tuned, sequences: Iterable[NDArray[np.uint8]], batch: int) -> None:
    """Compute the features of the sequences that a store does not have, `batch` at a time."""
    missing = {key: sequence for sequence in sequences if (key := sequence_key(sequence)) not in store}
    for start in range(0, len(missing), batch):
        part = list(missing.items())[start : start + batch]
        store.add([key for key, _ in part], computed(model, [sequence for _, sequence in part]).numpy())


def computed(model: Tuned, sequences: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return what a store keeps of sequences, float32 `[S, ...]` on the CPU."""
    type_, enabled = _computed_in(model), _computed_in(model) != torch.float32
    with torch.autocast(model.adapter.device.type, type_ if enabled else None, enabled=enabled):
        return model.kept_of(sequences).float().cpu()


def fill(
    store: StateStore,
    model: Tuned,
    groups: Iterable[Sequence[NDArray[np.uint8]]],
    batch: int,
    rank: int = 0,
    processes: int = 1,
) -> None:
    """Compute what groups of sequences need (the distinct haplotypes `[D, L]` of genes).

    Of several processes each takes its share of the groups and waits until the others have written theirs.
    """
    wanted: set[bytes] = set()
    before = len(store)
    for number, sequences in enumerate(groups):
        wanted.update(map(sequence_key, sequences))
        if number % processes == rank:
            compute(store, model, sequences, batch)
            if number % 100 == 0:
                log.info("states of %d distinct sequences are there", len(store))
    store.flush()
    while not all(key in store for key in wanted):
        time.sleep(LOOK_AGAIN)
        store.refresh()
    new = len(store) - before
    log.info("states of %d distinct sequences: %d computed, the others were in %s", len(wanted), new, store.folder)


def sequence_key(sequence: NDArray[np.uint8]) -> bytes:
    """Return the 128-bit hash of a sequence."""
    return blake2b(np.ascontiguousarray(sequence), digest_size=16).digest()


def _computed_in(model: Tuned) -> torch.dtype:
    """Return the type that the backbone computes in: that of training where it is on a GPU, else that of its weights."""
    adapter = model.adapter
    half = adapter.device.type == "cuda" and adapter.compute_dtype != torch.float32
    return adapter.compute_dtype if half else adapter.dtype
