"""Windows of the test regions that are asked about, and copies hidden in others."""

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.config import read_study
from glmflow.config.tasks.context_extension import ContextExtension
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.models.tokenizers import KmerTokenizer, kmers
from glmflow.tasks.context_extension.drawn_windows import draw_examples
from running import ROOT

TASK = ContextExtension(
    kind="context_extension",
    contexts=[64, 256],
    scored=32,
    examples=5,
    repeat_k=8,
    recall={"segment": 16, "distances": [32, 200], "trials": 3},
)


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Contig `a` is unknown but for its last 1,000 bases; `b` repeats itself every 100 bases."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    rng = np.random.default_rng(0)
    unit = "".join(rng.choice(list("ACGT"), 100))
    known = "".join(rng.choice(list("ACGT"), 1000))
    path.write_text(f">a\n{'N' * 1000}{known}\n>b\n{unit * 20}\n")
    pysam.faidx(str(path))
    return Reference(path)


def regions(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "split"])


def test_windows_come_from_test_regions_and_hold_hardly_any_unknown_base(genome):
    table = draw_examples(TASK, regions(("a", 0, 2000, "test"), ("b", 0, 2000, "train")), genome)
    assert table["example"].is_unique
    loss = table[table["subset"] == "loss"]
    assert len(loss) == 5 and (table["sequence"].str.len() == 256).all()
    for name, sequence in zip(loss["example"], loss["sequence"]):
        chrom, _, place = name.partition(":")
        start, end = map(int, place.split("-"))
        assert chrom == "a" and sequence == genome.fetch("a", start, end).tobytes().decode()
        assert sequence.count("N") <= 25 and "N" not in sequence[-32:]
    recall = table[table["subset"] == "recall"]
    assert (recall["variant"] == "control").sum() == 3 and len(recall) == 3 + 3 * 2 * 3


def test_repeats_beyond_the_shortest_context_are_marked_far(genome):
    table = draw_examples(TASK, regions(("b", 0, 2000, "test")), genome)
    assert set("".join(table.loc[table["subset"] == "loss", "repeat"])) == {"2"}  # 100 bases back, the context is 64


def test_a_copy_is_the_same_kmers_as_the_segment(genome):
    study = read_study(ROOT / "config/studies/context_nucleotide_transformer.yaml")
    asked = study.tasks["context"].model_dump() | {"contexts": [300, 960], "scored": 60, "examples": 2}
    asked["recall"] |= {"segment": 60, "distances": [61, 500, 899], "trials": 4, "variants": ["exact"]}
    table = draw_examples(ContextExtension(**asked), regions(("a", 0, 2000, "test")), genome)
    needles = table[(table["subset"] == "recall") & (table["variant"] != "control")]
    vocab = {kmer: index for index, kmer in enumerate([*kmers(6, "ACGT"), *"NACGT"])}
    tokenizer = KmerTokenizer(vocab, 6, single_bases=True)
    for sequence in needles["sequence"]:
        assert "N" not in sequence
        ids = tokenizer.pieces(np.frombuffer(sequence.encode(), np.uint8)).ids
        assert len(ids) == 160
        assert any(np.array_equal(ids[start : start + 10], ids[-10:]) for start in range(141))
    assert len(needles) == 4 * 3


def test_lengths_off_the_grid_of_tokens_are_refused():
    for change, name in (({"contexts": [64, 255]}, "contexts: 64"), ({}, "scored: 32")):
        with pytest.raises(ValueError, match=f"{name} is no multiple of bases_per_token 3"):
            ContextExtension(**TASK.model_dump() | {"bases_per_token": 3, "contexts": [63, 255], **change})


def test_a_genome_without_long_enough_test_regions_is_refused(genome):
    with pytest.raises(InputError, match="no test region holds a window of 256 bp"):
        draw_examples(TASK, regions(("a", 0, 255, "test"), ("b", 0, 2000, "train")), genome)
    with pytest.raises(InputError, match="not rich in N"):
        draw_examples(TASK, regions(("a", 0, 1000, "test")), genome)
