"""A cohort's variants on disk, mapped into memory where they are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glmflow.errors import InputError
from glmflow.genome.contigs import some

VERSION = 2
MODES = ("all", "snv")
JOINED = "phase_sets_joined"
"""Among the counts: places where one phase set ends and the next begins (`phase_sets.PhaseSets`), no calls left out."""


class ContigVariants:
    """The variants of one contig and who carries them, as read-only arrays.

    Attributes
    ----------
    length : int
        Bases of the contig.
    pos : int32[V]
        0-based first base of the reference allele; ascending.
    start, end : int32[V]
        The reference bases that are replaced.
    reach : int32[V]
        Highest `end` up to here; ascending.
    snv : bool[V]
        Kept in the `snv` mode.
    single : bool[V]
        One base becomes another.
    shift : int
        Highest `start - pos`: how many first bases an allele shares with the reference.
    offset, bases : int32[V + 1], uint8[]
        Bases that take their place: `bases[offset[v]:offset[v + 1]]`.
    calls : uint8[H, ceil(V / 8)]
        One bit per haplotype and variant, lowest bit first: carried.
    overlap : dict[str, list[int32[]]]
        By mode and haplotype: carried variants that are left out because an earlier one took their place.
    absent : int32[n, 3]
        Sample, start and end of the stretches that have one haplotype only.
    """

    def __init__(self, folder: Path, length: int):
        self.folder = folder
        self.length = length
        for name in ("pos", "start", "end", "reach", "snv", "offset", "bases", "calls", "absent"):
            setattr(self, name, np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")))
        self.single = (self.end - self.start == 1) & (np.diff(self.offset) == 1)
        self.shift = int((self.start - self.pos).max(initial=0))
        self.overlap = {}
        for mode in MODES:
            row, variant = np.load(folder / f"overlap_{mode}.npy").T
            self.overlap[mode] = np.split(variant, np.searchsorted(row, np.arange(1, len(self.calls))))

    @cached_property
    def alleles(self) -> pa.Table:
        """`pos`, `ref`, `alt`, `missing` calls, and `first`: the number of the first variant that is the same."""
        return pq.read_table(self.folder / "alleles.parquet")

    def carried(self, rows: slice | np.ndarray | int, low: int, high: int) -> np.ndarray:
        """Return uint8[..., high - low]: 1 where a haplotype carries a variant from `low` up to `high`."""
        packed = self.calls[rows, low >> 3 : (high + 7) >> 3]
        shift = low & 7
        return np.unpackbits(packed, axis=-1, bitorder="little")[..., shift : shift + high - low]


class VariantStore:
    """A cohort's variants, as `build_store` wrote them.

    Small and picklable: the arrays are mapped from disk where they are used, so processes share their memory.

    Parameters
    ----------
    folder
        Where the store is.

    Attributes
    ----------
    samples : list[str]
    contigs : dict[str, int]
        Lengths by the genome's names.
    """

    def __init__(self, folder: str | PathLike[str]):
        self.folder = Path(folder)
        self.description = read_description(self.folder)
        self.samples: list[str] = self.description["samples"]
        self.contigs: dict[str, int] = self.description["contigs"]
        self._row = {sample: 2 * i for i, sample in enumerate(self.samples)}
        self._open: dict[str, ContigVariants] = {}

    def contig(self, chrom: str) -> ContigVariants:
        """Return the variants of a contig."""
        if chrom not in self._open:
            if chrom not in self.contigs:
                has = f"It has {some(self.contigs)}."
                raise InputError(f"no variants of contig {chrom!r}", where=self.folder, fix=has)
            self._open[chrom] = ContigVariants(contig_folder(self.folder, chrom), self.contigs[chrom])
        return self._open[chrom]

    def row(self, sample: str, haplotype: int) -> int:
        """Return the row of a haplotype (1 or 2) among the calls."""
        if sample not in self._row:
            raise InputError(f"no sample {sample!r}", where=self.folder, fix=f"It has {some(self.samples)}.")
        if haplotype not in (1, 2):
            raise InputError(f"haplotype {haplotype!r}", where=sample, fix="Haplotypes are 1 and 2.")
        return self._row[sample] + haplotype - 1

    def has_haplotype(self, sample: str, haplotype: int, chrom: str, start: int, end: int) -> bool:
        """Return whether a haplotype exists all over an interval: no second one where calls are haploid."""
        row = self.row(sample, haplotype)
        absent = self.contig(chrom).absent
        if haplotype == 1 or not len(absent):
            return True
        return not ((absent[:, 0] == row >> 1) & (absent[:, 1] < end) & (absent[:, 2] > start)).any()

    def counts(self) -> pd.DataFrame:
        """Return what was applied and what was left out, why.

        Returns
        -------
        DataFrame
            `chrom`, `variants` (all or snv), `outcome`, `alleles`, `calls` (of one haplotype each).
        """
        return pd.DataFrame(self.description["counts"], columns=["chrom", "variants", "outcome", "alleles", "calls"])

    def summary(self, variants: str) -> str:
        """Return what was applied and left out in both haplotypes together, in one line.

        `variants`: `all` or `snv`.
        """
        counts = self.counts().query("variants == @variants").groupby("outcome")["calls"].sum()
        left_out = ", ".join(
            f"{outcome} {calls:,}" for outcome, calls in counts.items() if calls and outcome not in ("applied", JOINED)
        )
        joined = f"; phase sets (PS) joined: {counts[JOINED]:,}" if JOINED in counts else ""
        contigs = (
            f"{len(self.contigs)} contigs" if len(self.contigs) > 1 else f"the whole of {next(iter(self.contigs))}"
        )
        return f"in both haplotypes of {contigs}, {counts['applied']:,} alleles applied; left out: {left_out or 'none'}{joined}"

    def dosages(
        self, chrom: str, start: int, end: int, samples: Sequence[str] | None = None, maf: float = 0.0
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return how often each sample carries each alternative allele.

        What the haplotypes cannot have is not counted: alleles left out while building, and unphased
        heterozygotes where they were read as the reference.

        Parameters
        ----------
        chrom, start, end
            Interval in which the first base of the reference allele lies (0-based half-open).
        samples
            Samples, in the order wanted; all by default.
        maf
            Lowest minor allele frequency among these samples.

        Returns
        -------
        variants : DataFrame
            `pos` (0-based), `ref`, `alt`, `missing` (calls missing in the whole cohort, taken for the
            reference).
        dosages : float64[samples, variants]
            0, 1 or 2 copies.
        """
        contig = self.contig(chrom)
        low, high = contig.pos.searchsorted(np.array([start, end], np.int32))
        rows = np.array([self.row(sample, 1) for sample in samples or self.samples])
        table = contig.alleles.slice(low, high - low).to_pandas()
        carried = np.stack([contig.carried(rows + haplotype, low, high) for haplotype in (0, 1)])
        # A record given twice is one allele.
        firsts = table["first"].to_numpy()
        again = np.flatnonzero(firsts != np.arange(low, high))
        for variant in again:
            carried[..., firsts[variant] - low] |= carried[..., variant]
        dosages = carried.sum(axis=0, dtype=np.float64)
        frequency = dosages.mean(axis=0) / 2
        keep = np.minimum(frequency, 1 - frequency) >= maf
        keep[again] = False
        return table.loc[keep, ["pos", "ref", "alt", "missing"]].reset_index(drop=True), dosages[:, keep]

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_open": {}}

    def __repr__(self) -> str:
        return f"VariantStore({str(self.folder)!r})"


def open_store(folder: str | PathLike[str]) -> VariantStore:
    """Open a store that `build_store` wrote."""
    return VariantStore(folder)


def contig_folder(folder: Path, chrom: str) -> Path:
    """Return where the arrays of a contig are (contig names may hold any character)."""
    return folder / "contigs" / quote(chrom, safe="")


def read_description(folder: Path) -> dict:
    """Return `store.json`."""
    try:
        description = json.loads((folder / "store.json").read_text())
    except FileNotFoundError:
        raise InputError("no variant store here", where=folder, fix="Build it first.") from None
    if description["version"] != VERSION:
        raise InputError("variant store of another version", where=folder, fix="Build it again.")
    return description
