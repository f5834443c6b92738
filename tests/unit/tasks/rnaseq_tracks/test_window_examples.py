"""Windows along the genome, each in one split, with what was left out."""

import pytest
from glmflow.config.tasks.rnaseq_tracks import RnaseqTracks
from glmflow.errors import InputError
from glmflow.tasks.rnaseq_tracks import examples
from glmflow.tasks.tables import Division

TASK = RnaseqTracks(kind="rnaseq_tracks", windows={"size": 50, "overlap": 0, "max_n_fraction": 0.0}, trim=0)
SPLITS = {"by": "contig", "train": ["chr1"], "test": ["chr2"]}


def write_genome(folder, **contigs):
    path = folder / "genome.fa"
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    return {"fasta": path}


def test_contigs_that_the_genome_lacks_stop_the_examples(tmp_path):
    files = write_genome(tmp_path, **dict.fromkeys(("chr1", "chr2", "chr3"), "ACGT" * 50))
    made = examples(TASK, files, Division(SPLITS, 50, ["chr2", "chr1"]))
    assert made.table["chrom"].value_counts().to_dict() == {"chr1": 4, "chr2": 4}
    for contigs in (["1", "2"], ["chr1", "chr2", "2"]):
        with pytest.raises(InputError, match=r"no contig .*'2'\. The genome has chr1, chr2, chr3"):
            examples(TASK, files, Division(SPLITS, 50, contigs))


def test_what_is_used_and_left_out_is_counted_and_no_base_is_shared(tmp_path):
    """Of five windows on chr1 one holds an N and one touches a blacklisted base; chr3 is in no split."""
    files = write_genome(
        tmp_path, chr1="ACGTA" * 30 + "N" + "ACGTA" * 20 + "ACGTACGT" + "A", chr2="ACGTA" * 20, chr3="ACGTA" * 20
    )
    (tmp_path / "black.bed").write_text("chr1\t10\t11\n")
    made = examples(TASK, files | {"blacklist": tmp_path / "black.bed"}, Division(SPLITS, 50, None))
    counts = dict(zip(made.counts["item"], made.counts["count"]))
    assert counts["windows used"] == len(made.table) == 4 + 2
    assert counts["windows with too many N"] == 1 and counts["windows in blacklisted regions"] == 1
    assert counts["windows on contigs of no split"] == 2
    assert made.table["example"].is_unique and set(made.table["split"]) == {"train", "test"}
    (check,) = made.checks.to_dict("records")
    assert (check["found"], check["of"], check["leak"]) == (0, 100, "no") and "train" in check["check"]


def test_a_split_without_a_training_window_is_refused(tmp_path):
    files = write_genome(tmp_path, chr1="ACGT" * 50, chr2="ACGT" * 50)
    splits = {"by": "block", "block": 120, "gap": 60, "test": 0.99, "validation": 0.0, "seed": 1}
    with pytest.raises(InputError, match="splits"):
        examples(TASK, files, Division(splits, 50, None))
