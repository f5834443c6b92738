"""The arrays of a contig, written as its alleles come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.genome.conflicts import overlapping
from glmflow.genome.parsing import Allele
from glmflow.genome.store import MODES

CHUNK = 4096  # alleles packed into bits at a time: a multiple of 8


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
        self._alleles: list[tuple] = []
        self._bases: list[str] = []
        self._rows: list[np.ndarray] = []
        self._packed = (folder / "calls.bits").open("wb")

    def add(self, allele: Allele) -> None:
        """Take in the next allele."""
        edit = allele.edit
        grows = len(allele.alt) > allele.last - allele.pos + 1 and allele.alt != "<DEL>"
        self._alleles.append(
            (
                *(allele.pos, allele.last, edit.start, edit.end, allele.snv, allele.anchored, grows),
                *(allele.missing, allele.ref, allele.alt),
            )
        )
        self._bases.append(edit.bases)
        self._rows.append(allele.carriers)
        if len(self._rows) == CHUNK:
            self._flush()

    def finish(self, absent: np.ndarray) -> dict[str, dict[str, tuple[int, int]]]:
        """Write the files; return alleles and calls by mode and outcome."""
        columns = ["pos", "last", "start", "end", "snv", "anchored", "grows", "missing", "ref", "alt"]
        table = pd.DataFrame(self._alleles, columns=columns)
        table[["pos", "ref", "alt", "missing"]].to_parquet(self.folder / "alleles.parquet")
        arrays = {name: table[name].to_numpy(np.int32) for name in ("pos", "last", "start", "end")}
        arrays |= {name: table[name].to_numpy(bool) for name in ("snv", "anchored", "grows")}
        self._save("offset", np.cumsum([0, *map(len, self._bases)]).astype(np.int32))
        self._save("bases", np.frombuffer("".join(self._bases).encode(), np.uint8))
        self._save("reach", np.maximum.accumulate(arrays["end"]))
        self._save("absent", absent)
        for name in ("pos", "start", "end", "snv"):
            self._save(name, arrays[name])
        calls = self._transpose(len(table))
        first = table.groupby(["pos", "ref", "alt"], sort=False).ngroup().to_numpy()
        return {mode: self._resolve(mode, calls, arrays, first) for mode in MODES}

    def _flush(self) -> None:
        """Pack the waiting rows: variants along the bits, haplotypes side by side."""
        if self._rows:
            self._packed.write(np.packbits(np.array(self._rows), axis=0, bitorder="little").tobytes())
            self._rows.clear()

    def _transpose(self, variants: int) -> np.ndarray:
        """Turn the packed bits so that those of a haplotype lie together."""
        self._flush()
        self._packed.close()
        source = Path(self._packed.name)
        shape = (self.haplotypes, (variants + 7) // 8)
        if not variants:
            self._save("calls", np.zeros(shape, np.uint8))
        else:
            packed = np.memmap(source, np.uint8, "r", shape=shape[::-1])
            calls = np.lib.format.open_memmap(self.folder / "calls.npy", "w+", np.uint8, shape)
            step = max(1, (1 << 26) // shape[1])
            for row in range(0, self.haplotypes, step):
                calls[row : row + step] = packed[:, row : row + step].T
            calls.flush()
        source.unlink()
        return np.load(self.folder / "calls.npy", mmap_mode="r")

    def _resolve(
        self, mode: str, calls: np.ndarray, arrays: dict[str, np.ndarray], identity: np.ndarray
    ) -> dict[str, tuple[int, int]]:
        """Find the calls of each haplotype that an earlier one rules out; write them and count."""
        snv = arrays["snv"]
        applied = np.zeros(len(snv), np.int64)
        lost: list[tuple[int, int]] = []
        overlap, twice = np.zeros_like(applied), np.zeros_like(applied)
        other = np.zeros_like(applied)
        for row in range(self.haplotypes):
            carried = np.flatnonzero(np.unpackbits(calls[row], count=len(snv), bitorder="little"))
            if mode == "snv":
                other[carried[~snv[carried]]] += 1
                carried = carried[snv[carried]]
            skip = overlapping(
                *(arrays[name][carried] for name in ("pos", "last", "grows", "anchored")),
            )
            out = carried[skip]
            applied[carried[~skip]] += 1
            lost.extend((row, variant) for variant in out)
            again = np.isin(identity[out], identity[carried[~skip]])
            twice[out[again]] += 1
            overlap[out[~again]] += 1
        self._save(f"overlap_{mode}", np.array(lost, np.int32).reshape(-1, 2))
        by_outcome = {"applied": applied, "overlap": overlap, "duplicate": twice}
        if mode == "snv":
            by_outcome["not_snv"] = other
        return {name: _alleles_and_calls(calls) for name, calls in by_outcome.items()}

    def _save(self, name: str, array: np.ndarray) -> None:
        np.save(self.folder / f"{name}.npy", array)


def _alleles_and_calls(calls: np.ndarray) -> tuple[int, int]:
    """Return how many alleles have calls, and how many calls there are."""
    return int((calls > 0).sum()), int(calls.sum())
