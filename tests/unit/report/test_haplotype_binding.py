"""The section on the haplotypes of samples: read part by part, what it says is that of the whole table."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from glmflow.report.bound_regions import haplotype_binding
from glmflow.report.bound_regions.haplotype_binding import TWICE, read_haplotype_binding

CELLS, TFS, PEOPLE = ["k", "h"], ["A", "B", "C"], [f"p{number}" for number in range(50)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table as `glmflow predict` writes it, a region a group of rows, and its path."""
    rng, parts = np.random.default_rng(1), []
    for number in range(45):
        people = rng.choice(PEOPLE, rng.integers(1, 6), replace=False)
        rows = [(person, f"{cell}_{tf}", cell, tf) for person in people for cell in CELLS for tf in TFS]
        own = pd.DataFrame(rows, columns=["sample", "key", "cell", "tf"])
        own.insert(0, "example", f"chr1:{number}")
        own = own.assign(chrom="chr1", start=number * 1000, end=number * 1000 + 500, split="test")
        values = rng.random((3, len(own)))
        names = ("prediction_reference", "prediction_haplotype1", "prediction_haplotype2")
        parts.append(own.assign(**dict(zip(names, values)), allelic_log_odds=rng.normal(0, 0.5, len(own))))
    path = tmp_path_factory.mktemp("people") / "everyone.parquet"
    with pq.ParquetWriter(path, pa.Table.from_pandas(parts[0], preserve_index=False).schema) as writer:
        for part in parts:
            writer.write_table(pa.Table.from_pandas(part, preserve_index=False))
    return pd.concat(parts, ignore_index=True), path


@pytest.mark.parametrize("at_once", [1, 100, 10**6])
def test_what_is_shown_is_that_of_the_whole_table(table, monkeypatch, at_once):
    whole, path = table
    monkeypatch.setattr(haplotype_binding, "ROWS_AT_ONCE", at_once)
    found = read_haplotype_binding(path)
    whole = whole.assign(size=whole["allelic_log_odds"].abs())
    pairs = whole.groupby(["example", "sample"])["size"].max()
    wanted = {"regions": 45, "people": whole["sample"].nunique(), "pairs": len(pairs)}
    assert found.counts == wanted | {"twice": int((pairs >= TWICE).sum())}
    by_cell = whole.groupby(["tf", "example", "sample"])["size"].max()
    for row in found.tfs.itertuples():
        own = by_cell[row.tf]
        assert (row.pairs, row.twice) == (len(own), pytest.approx((own >= TWICE).mean()))
        assert row.mean == pytest.approx(own.mean()) and abs(row.largest) == own.max()
        there = whole[(whole["tf"] == row.tf) & (whole["size"] == own.max())].iloc[0]
        assert (row.example, row.sample, row.cell) == (there["example"], there["sample"], there["cell"])
    three = by_cell.groupby(level=["tf", "example"], group_keys=False).nlargest(3)
    assert found.strongest["allelic_log_odds"].abs().tolist() == three.nlargest(20).tolist()
    most = whole.groupby("example")["size"].max().nlargest(haplotype_binding.REGIONS_SHOWN)
    assert set(found.grid["example"]) <= set(most.index)
    assert found.grid["sample"].nunique() <= haplotype_binding.PEOPLE_SHOWN
    assert not found.grid.duplicated(["example", "sample", "tf"]).any()


def test_a_table_without_rows_is_nothing(table, tmp_path):
    empty = pa.Table.from_pandas(table[0].iloc[:0], preserve_index=False)
    pq.write_table(empty, tmp_path / "none.parquet")
    assert read_haplotype_binding(tmp_path / "none.parquet") is None
