"""The arrays of a contig, written as its alleles come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from glmflow.genome.alleles import Edit
from glmflow.genome.conflicts import is_single, overlapping
from glmflow.genome.parsing import Allele
from glmflow.genome.store import MODES

CHUNK = 4096  # alleles packed into bits at a time: a multiple of 8
ROW = np.dtype(
    [(name, np.int32) for name in ("pos", "last", "start", "end", "size", "first", "missing", "calls")]
    + [(name, bool) for name in ("snv", "anchored", "grows", "single")]
)


class ContigWriter:
    """Takes the alleles of a contig in order and leaves the files that `store.ContigVariants` reads.

    Parameters
    ----------
    folder
        Where they go.
    haplotypes
        Number of haplotypes.
    """

    def __init__(self, folder: Path, haplotypes: int):
        folder.mkdir(parents=True)
        self.folder = folder
        self.haplotypes = haplotypes
        self._waiting: list[tuple[Allele, int]] = []
        self._rows: list[np.ndarray] = []
        self._texts: list[pa.Table] = []
        self._bases: list[bytes] = []
        self._packed = (folder / "calls.bits").open("wb")
        self._count = 0
        self._pos = -1
        self._here: dict[tuple[str, Edit], int] = {}

    def add(self, allele: Allele) -> None:
        """Take in the next allele."""
        if allele.pos != self._pos:
            self._pos, self._here = allele.pos, {}
        self._waiting.append((allele, self._here.setdefault((allele.alt, allele.edit), self._count)))
        self._count += 1
        if len(self._waiting) == CHUNK:
            self._flush()

    def finish(self, absent: np.ndarray) -> dict[str, dict[str, tuple[int, int]]]:
        """Write the files; return alleles and calls by mode and outcome."""
        self._flush()
        rows = np.concatenate(self._rows)
        table = pa.concat_tables(self._texts)
        for name in ("pos", "first", "missing"):
            table = table.append_column(name, pa.array(rows[name]))
        pq.write_table(table, self.folder / "alleles.parquet")
        self._save("offset", np.concatenate([[0], np.cumsum(rows["size"])]).astype(np.int32))
        self._save("bases", np.frombuffer(b"".join(self._bases), np.uint8))
        self._save("reach", np.maximum.accumulate(rows["end"]))
        self._save("absent", absent)
        for name in ("pos", "start", "end", "snv"):
            self._save(name, rows[name])
        calls = self._transpose()
        return {mode: self._resolve(mode, calls, rows) for mode in MODES}

    def _flush(self) -> None:
        """Turn the waiting alleles into arrays; pack their carriers, alleles along the bits."""
        alleles = [allele for allele, _ in self._waiting]
        carriers = np.array([a.carriers for a in alleles], bool).reshape(-1, self.haplotypes)
        rows = np.zeros(len(alleles), ROW)
        for name in ("pos", "last", "missing", "snv", "anchored", "grows"):
            rows[name] = [getattr(a, name) for a in alleles]
        rows["start"] = [a.edit.start for a in alleles]
        rows["end"] = [a.edit.end for a in alleles]
        rows["size"] = [len(a.edit.bases) for a in alleles]
        rows["first"] = [first for _, first in self._waiting]
        rows["calls"] = carriers.sum(axis=1)
        rows["single"] = is_single(rows["pos"], rows["last"], rows["start"], rows["end"], rows["size"])
        self._rows.append(rows)
        texts = {"ref": [a.ref for a in alleles], "alt": [a.alt for a in alleles]}
        self._texts.append(pa.table(texts, schema=pa.schema([(name, pa.string()) for name in texts])))
        self._bases.append("".join(a.edit.bases for a in alleles).encode())
        self._packed.write(np.packbits(carriers, axis=0, bitorder="little").tobytes())
        self._waiting.clear()

    def _transpose(self) -> np.ndarray:
        """Turn the packed bits so that those of a haplotype lie together."""
        self._packed.close()
        source = Path(self._packed.name)
        shape = (self.haplotypes, (self._count + 7) // 8)
        if not self._count:
            self._save("calls", np.zeros(shape, np.uint8))
        else:
            packed = np.memmap(source, np.uint8, "r", shape=shape[::-1])
            calls = np.lib.format.open_memmap(self.folder / "calls.npy", "w+", np.uint8, shape)
            step = max(1, (1 << 26) // shape[1])
            for row in range(0, self.haplotypes, step):
                calls[row : row + step] = packed[:, row : row + step].T
            del calls  # closed without waiting for the disk
        source.unlink()
        return np.load(self.folder / "calls.npy", mmap_mode="r")

    def _resolve(self, mode: str, calls: np.ndarray, rows: np.ndarray) -> dict[str, tuple[int, int]]:
        """Find the calls of each haplotype that an earlier one rules out; write them and count."""
        taken = rows["snv"] if mode == "snv" else np.ones(len(rows), bool)
        columns = [np.ascontiguousarray(rows[name]) for name in ("pos", "last", "grows", "anchored", "single")]
        duplicate, overlap = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        lost = [np.zeros((0, 2), np.int32)]
        for row in range(self.haplotypes):
            carried = np.flatnonzero(np.unpackbits(calls[row], count=len(rows), bitorder="little") & taken)
            skip = overlapping(*(column[carried] for column in columns))
            if skip.any():
                out, kept = carried[skip], carried[~skip]
                again = np.isin(rows["first"][out], rows["first"][kept])
                duplicate[out[again]] += 1
                overlap[out[~again]] += 1
                lost.append(np.column_stack([np.full(len(out), row), out]).astype(np.int32))
        self._save(f"overlap_{mode}", np.concatenate(lost))
        counts = {"applied": rows["calls"] * taken - duplicate - overlap, "overlap": overlap, "duplicate": duplicate}
        if mode == "snv":
            counts["not_snv"] = rows["calls"] * ~taken
        return {name: (int((calls > 0).sum()), int(calls.sum())) for name, calls in counts.items()}

    def _save(self, name: str, array: np.ndarray) -> None:
        np.save(self.folder / f"{name}.npy", array)
