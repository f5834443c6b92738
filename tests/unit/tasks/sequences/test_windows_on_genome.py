"""Intervals made into windows around their middle or start, as the Genomics Long-Range Benchmark has them."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division
from pydantic import ValidationError

BASES = 4000


@pytest.fixture
def benchmark(tmp_path):
    """A genome, and variants on it (`CHROM`, `POS`, ...), every one of which stands on a G that nothing else is."""
    generator = np.random.default_rng(0)
    rows = []
    with (tmp_path / "g.fa").open("w") as file:
        for contig in ("chr1", "chr2"):
            bases = generator.choice(list("ACT"), BASES)
            positions = np.sort(generator.choice(np.arange(1, BASES + 1), 60, replace=False))
            bases[positions - 1] = "G"
            file.write(f">{contig}\n{''.join(bases)}\n")
            split = "train" if contig == "chr1" else "test"
            rows += [(contig, position, "A", number % 2, split) for number, position in enumerate(positions)]
    table = pd.DataFrame(rows, columns=["CHROM", "POS", "ALT", "INT_LABEL", "split"])
    table.to_csv(tmp_path / "v.csv", index=False)
    return tmp_path, table


def made(folder, **settings):
    task = Sequences(kind="sequences", table=str(folder / "v.csv"), preset="lrb/variant_effect_pathogenic", **settings)
    return task, examples(task, {"genome": str(folder / "g.fa")}, Division())


@pytest.mark.parametrize("length", [100, 101])
def test_a_variant_stands_in_the_middle_of_its_window(benchmark, length):
    folder, rows = benchmark
    _, found = made(folder, length=length)
    genome = Reference(folder / "g.fa")
    for row in found.table.itertuples():
        window = genome.fetch_string(row.chrom, row.start, row.end)
        assert len(window) == length and window[length // 2] == "G"
    first = rows["POS"] - 1 - length // 2
    fits = (first >= 0) & (first + length <= BASES)
    assert len(found.table) == fits.sum() < len(rows)
    counts = found.counts.set_index("item")["count"]
    assert counts[f"intervals without {length} bases around them on their contig, left out"] == (~fits).sum()


def test_tasks_of_several_lengths_have_the_same_rows(benchmark):
    folder, _ = benchmark
    longest = made(folder, length=600)[1].table
    short = made(folder, length=100, room=600)[1].table
    assert len(short) == len(longest) < len(made(folder, length=100)[1].table)
    assert ((short["start"] + 50).to_numpy() == (longest["start"] + 300).to_numpy()).all()


def test_the_length_of_a_published_set_is_taken_where_none_is_given(benchmark):
    folder, _ = benchmark
    own = {"kind": "sequences", "table": str(folder / "v.csv"), "preset": "lrb/regulatory_element_promoter"}
    assert Sequences(**own).length == 8192 and Sequences(**own, length=400).length == 400


def test_what_cannot_be_framed_is_refused(benchmark):
    folder, _ = benchmark
    with pytest.raises(InputError, match=r"no interval has 9,000 bases around it"):
        made(folder, length=9000)
    with pytest.raises(ValidationError, match="room: 50 is less than length 100"):
        made(folder, length=100, room=50)
    with pytest.raises(ValidationError, match="say `around` too"):
        Sequences(kind="sequences", table="t.csv", room=1000)
    task = Sequences(kind="sequences", table=str(folder / "v.csv"), preset="lrb/variant_effect_pathogenic")
    with pytest.raises(InputError, match="no genome to read them from"):
        examples(task, {}, Division())
