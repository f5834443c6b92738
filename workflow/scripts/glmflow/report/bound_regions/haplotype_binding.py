"""Binding of the haplotypes of samples: how much more each TF binds one haplotype of a region than the other, by person.

Tables of a cohort are large (region x person x key): they are read part by part, and the regions that differ most are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_ONCE = 500_000
REGIONS_SHOWN, PEOPLE_SHOWN, ROWS_SHOWN, PEOPLE_OF_A_PAIR = 30, 40, 20, 3
TWICE = float(np.log(2))
"""Difference of log-odds (natural) from which one haplotype has twice the odds of the other."""
PLACE = ["example", "chrom", "start", "end", "split"]
PREDICTED = ["prediction_reference", "prediction_haplotype1", "prediction_haplotype2"]


class HaplotypeBinding(NamedTuple):
    """What a run predicts of the haplotypes of samples.

    Attributes
    ----------
    counts
        `regions`, `people`, `pairs` (of region and person) in which a haplotype differs from the reference, and `twice`: those
        of them in which some key's odds differ by a factor of two or more between the haplotypes.
    tfs
        By TF: `tf`, `pairs`, `twice` (share of them), `mean` (of the size of differences), `largest`, and where that is
        (`example`, `sample`, `cell`).
    strongest
        Region, TF and sample of the largest differences, a row each, of a region and TF those of three samples at most: `PLACE`,
        `tf`, `sample`, `cell` (where it is largest), `PREDICTED`, `allelic_log_odds`.
    grid
        The regions and samples that differ most x all TFs: the same columns.
    """

    counts: dict[str, int]
    tfs: pd.DataFrame
    strongest: pd.DataFrame
    grid: pd.DataFrame


def read_haplotype_binding(path: Path) -> HaplotypeBinding | None:
    """Return what stands in a table of `glmflow predict`; None where it has no row."""
    kept, sums, largest, samples = pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), set()
    counts = dict.fromkeys(("regions", "pairs", "twice"), 0)
    for table in parts_of(path):
        best = largest_cells(table)
        size = best["allelic_log_odds"].abs()
        pairs = size.groupby([best["example"], best["sample"]]).max()
        counts["regions"] += best["example"].nunique()
        counts["pairs"] += len(pairs)
        counts["twice"] += int((pairs >= TWICE).sum())
        samples.update(best["sample"].unique())
        own = best.assign(size=size, twice=size >= TWICE).groupby("tf")
        own = own.agg(pairs=("size", "size"), twice=("twice", "sum"), total=("size", "sum"))
        sums = own if sums.empty else sums.add(own, fill_value=0)
        largest = most_different(pd.concat([largest, best]), ["tf"], 1)
        kept = shown_regions(pd.concat([kept, best]))
    if sums.empty:
        return None
    tfs = largest.set_index("tf")[["allelic_log_odds", "example", "sample", "cell"]]
    tfs = tfs.rename(columns={"allelic_log_odds": "largest"}).join(sums)
    tfs = tfs.assign(twice=tfs["twice"] / tfs["pairs"], mean=tfs["total"] / tfs["pairs"])
    order = tfs["largest"].abs().sort_values(ascending=False, kind="stable").index
    strongest = most_different(kept, ["example", "tf"], PEOPLE_OF_A_PAIR).head(ROWS_SHOWN)
    people = most_different(kept, ["sample"], 1)["sample"].head(PEOPLE_SHOWN)
    grid = kept[kept["sample"].isin(people)].sort_values(["chrom", "start", "tf", "sample"])
    return HaplotypeBinding(
        counts | {"people": len(samples)},
        tfs.loc[order].drop(columns="total").reset_index(),
        strongest.reset_index(drop=True),
        grid.reset_index(drop=True),
    )


def parts_of(path: Path) -> Iterator[pd.DataFrame]:
    """Yield whole regions of a table, some `ROWS_AT_ONCE` rows at a time (each group of rows of the file is a region)."""
    file = pq.ParquetFile(path)
    columns = [*PLACE, "sample", "cell", "tf", *PREDICTED, "allelic_log_odds"]
    groups: list[pa.Table] = []
    for number in range(file.num_row_groups):
        groups.append(file.read_row_group(number, columns))
        if sum(map(len, groups)) >= ROWS_AT_ONCE or number == file.num_row_groups - 1:
            yield pa.concat_tables(groups).to_pandas()
            groups = []


def largest_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each region, person and TF in the cell in which the haplotypes differ most."""
    return most_different(table, ["example", "sample", "tf"], 1)


def most_different(table: pd.DataFrame, columns: list[str], count: int) -> pd.DataFrame:
    """Return the rows of each group whose haplotypes differ most, the most different first."""
    order = np.argsort(-table["allelic_log_odds"].abs().to_numpy(), kind="stable")
    return table.iloc[order].groupby(columns, sort=False).head(count)


def shown_regions(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the regions that differ most, for some person and TF."""
    most = table["allelic_log_odds"].abs().groupby(table["example"]).max().sort_values(ascending=False, kind="stable")
    return table[table["example"].isin(most.index[:REGIONS_SHOWN])]
