"""Regulatory activity of DNALongBench as it lies on disk: a BED file of rows, tracks in bins in TFRecord files; small, made here."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.sequences import check
from glmflow.config import ConfigurationError, check_study
from glmflow.config.benchmark_sets import benchmark_set
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.labelled import binned_targets
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division
from tfrecord_writer import write_records

BINS, SIZE, TRACKS, SPAN = 16, 128, 3, 2560
SPLITS = {"train": 11, "valid": 3, "test": 4}
PER_FILE = {"train": 1, "valid": 3, "test": 2}
"""Eleven files of training records: number 10 stands behind 9, and before 2 by the alphabet."""
PRESET = "dnalongbench/regulatory_sequence_activity"


@pytest.fixture
def published(tmp_path):
    """Bin b of track t of row r is `16 r + b + 64 t`, the first one 1,000 more; r counts the rows of the BED file."""
    generator = np.random.default_rng(0)
    splits = generator.permutation([split for split, count in SPLITS.items() for _ in range(count)])
    genome = "".join(generator.choice(list("ACGT"), len(splits) * SPAN))
    (tmp_path / "g.fa").write_text(f">chr1\n{genome}\n")
    (tmp_path / "targets").mkdir()
    rows = pd.DataFrame({"chrom": "chr1", "start": SPAN * np.arange(len(splits)), "split": splits})
    rows.insert(2, "end", rows["start"] + SPAN)
    rows.to_csv(tmp_path / "sequences.bed", sep="\t", header=False, index=False)
    statistics = {"num_targets": TRACKS, "target_length": BINS, "pool_width": SIZE, "seq_length": SPAN}
    (tmp_path / "statistics.json").write_text(json.dumps(statistics))
    for split, size in PER_FILE.items():
        own = np.flatnonzero(splits == split)
        for number, first in enumerate(range(0, len(own), size)):
            write_records(
                tmp_path / "targets" / f"{split}-{number}.tfr",
                [
                    {"sequence": one_hot(genome[row * SPAN : (row + 1) * SPAN]), "target": values(row).tobytes()}
                    for row in own[first : first + size]
                ],
            )
    return tmp_path, rows


def one_hot(text):
    return (np.frombuffer(text.encode(), "S1")[:, None] == np.array(list("ACGT"), "S1")).astype(np.uint8).tobytes()


def values(row):
    found = 16 * row + np.arange(BINS)[:, None] + 64 * np.arange(TRACKS)
    found[0] += 1000
    return found.astype(np.float16)


def made(folder, **settings):
    task = Sequences(kind="sequences", table=str(folder / "sequences.bed"), preset=PRESET, bootstrap=20, **settings)
    return examples(task, {"genome": folder / "g.fa"}, Division())


@pytest.mark.parametrize("length", [1024, BINS * SIZE, SPAN])
def test_each_row_has_the_means_of_its_own_record(published, length):
    folder, rows = published
    found = made(folder, length=length)
    columns = [f"target_{track}" for track in range(TRACKS)]
    expected = 16 * np.arange(len(rows))[:, None] + 7.5 + 64 * np.arange(TRACKS)
    expected = expected + 1000 / BINS * (length >= BINS * SIZE)  # the first bin lies in the longer windows alone
    assert found.table[columns].to_numpy() == pytest.approx(expected)
    assert found.table["split"].tolist() == rows["split"].replace({"valid": "validation"}).tolist()
    assert found.table["start"].tolist() == (rows["start"] + (SPAN - length) // 2).tolist()
    assert (found.table["end"] - found.table["start"] == length).all()


def test_tracks_are_chosen_by_name_or_number(published):
    folder, rows = published
    found = made(folder, length=1024, columns={"label": ["2", "0"]})
    assert [name for name in found.table if name.startswith("target_")] == ["target_2", "target_0"]
    expected = 16 * np.arange(len(rows))[:, None] + 7.5 + 64 * np.array([2, 0])
    assert found.table[["target_2", "target_0"]].to_numpy() == pytest.approx(expected)
    listed = (
        "index\tidentifier\tfile\tdescription\n0\tE1\ta\tDNASE:liver\n1\tE2\tb\tCAGE:brain\n2\tE3\tc\tDNASE:liver\n"
    )
    (folder / "targets.txt").write_text(listed)
    found = made(folder, length=1024, columns={"label": ["CAGE:brain", "E1"]})
    expected = 16 * np.arange(len(rows))[:, None] + 7.5 + 64 * np.array([1, 0])
    assert found.table[["target_CAGE:brain", "target_E1"]].to_numpy() == pytest.approx(expected)
    one = made(folder, length=1024, columns={"label": "E3"})
    assert one.table["target_E3" if "target_E3" in one.table else "target"].to_numpy() == pytest.approx(
        16 * np.arange(len(rows)) + 7.5 + 128
    )
    assert [name for name in made(folder, length=1024).table if name.startswith("target_")] == [
        "target_E1", "target_E2", "target_E3"
    ]  # fmt: skip
    with pytest.raises(InputError, match="2 tracks are called 'DNASE:liver': 0, 2"):
        made(folder, length=1024, columns={"label": ["DNASE:liver"]})
    with pytest.raises(InputError, match=r"no track 'CAGE:brian'\. Did you mean 'CAGE:brain'"):
        made(folder, length=1024, columns={"label": ["CAGE:brian"]})
    (folder / "targets.txt").write_text("identifier\nE1\nE2\n")
    with pytest.raises(InputError, match=r"targets\.txt: 2 tracks, and the arrays have 3"):
        made(folder, length=1024)


def test_more_than_can_be_held_is_refused_with_how_many_can_be(published, monkeypatch):
    folder, rows = published
    monkeypatch.setattr(binned_targets, "MOST", 2 * len(rows))
    with pytest.raises(InputError, match=r"18 rows of 3 tracks are 54 values, .* Choose 2 tracks or fewer"):
        made(folder, length=1024)
    assert len(made(folder, length=1024, columns={"label": ["0", "1"]}).table) == len(rows)


def test_another_genome_and_another_assembly_are_found_by_the_sequences_of_records(published):
    folder, _ = published
    made(folder, length=1024)
    text = (folder / "g.fa").read_text().split("\n")[1]
    (folder / "g.fa").write_text(f">chr1\n{text[7:]}{text[:7]}\n")  # as an insertion moves coordinates
    (folder / "g.fa.fai").unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"7\d% of the bases of its first record differ from chr1:.*hg19 or hg38"):
        made(folder, length=1024)


def test_what_is_missing_or_damaged_is_one_line(published):
    folder, _ = published
    targets = folder / "targets"

    def fails(match, **settings):
        with pytest.raises(InputError, match=match) as error:
            made(folder, **{"length": 1024, **settings})
        assert "\n" not in str(error.value)

    fails("windows of 200 bases hold no bin of 128", length=200)
    fails(r"no track '3'\. Number one from 0 to 2", columns={"label": ["3"]})
    (targets / "test-1.tfr").rename(folder / "aside")
    fails("2 records of the test split, and .*sequences.bed has 4 rows of it")
    (folder / "aside").rename(targets / "test-1.tfr")
    (targets / "train-3.tfr").rename(folder / "aside")
    fails("no file of number 3 of the split of train-10.tfr")
    (targets / "train-11.tfr").write_bytes((folder / "aside").read_bytes())
    (folder / "aside").rename(targets / "train-3.tfr")
    fails(r"train-11\.tfr, record 1: more records of the train split than its 11 rows")
    (targets / "train-11.tfr").unlink()
    content = (targets / "valid-0.tfr").read_bytes()
    (targets / "valid-0.tfr").write_bytes(content[: len(content) // 2])
    fails(r"valid-0\.tfr, record \d: cannot be read .*it is cut")
    (targets / "valid-0.tfr").write_bytes(content)
    statistics = json.loads((folder / "statistics.json").read_text())
    for key, value, match in (
        ("num_targets", 4, r"train-0\.tfr, record 1: target is not 16 x 4 numbers"),
        ("pool_width", 32, "bins of 32 bases, 3 tracks, where bins of 128"),
        ("target_length", "many", "no statistics of a set of targets"),
    ):
        (folder / "statistics.json").write_text(json.dumps({**statistics, key: value}))
        fails(match)
    (folder / "statistics.json").unlink()
    fails(r"statistics\.json: no such file")


def study(folder, **settings):
    task = {"kind": "sequences", "table": str(folder / "sequences.bed"), "preset": PRESET, **settings}
    return {
        "study": "s",
        "reference": {"fasta": str(folder / "g.fa")},
        "tasks": {"t": task},
        "models": {"m": {"baseline": "gc_only"}},
        "adaptations": {"b": {"kind": "baseline"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
    }


def test_checks_before_a_run_look_at_the_first_record(published):
    folder, _ = published
    said = {
        match: [line for _, line in check(check_study(study(folder, **settings)), "t", lambda: None)]
        for match, settings in {
            "": {"length": 1024},
            "no bin of 128": {"length": 200},
            "no track 'liver'": {"length": 1024, "columns": {"label": ["liver"]}},
        }.items()
    }
    assert said.pop("") == []
    assert all(len(lines) == 1 and match in lines[0] for match, lines in said.items())
    with pytest.raises(ConfigurationError, match=r"write numbers of tracks as text, from 0: \['12'\]"):
        check_study(study(folder, columns={"label": 12}))
    for path in (folder / "targets").iterdir():
        path.unlink()
    (line,) = [line for _, line in check(check_study(study(folder)), "t", lambda: None)]
    assert "nor of {split}-{number}.tfr" in line


def test_the_published_length_and_assembly_are_those_of_the_preset():
    assert Sequences(kind="sequences", table="sequences.bed", preset=PRESET).length == 196_608
    assert [benchmark_set(name)["assembly"] for name in (PRESET, f"{PRESET}_mouse")] == ["hg38", "mm10"]
