"""Contact maps of DNALongBench as they lie on disk: records of a sequence and the upper triangle of five maps; a few, made here."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.sequences import check
from glmflow.config import ConfigurationError, check_study
from glmflow.config.benchmark_sets import benchmark_set
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.labelled.contact_maps import ContactMaps, blocks_of, read_contact_maps
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division
from tfrecord_writer import write_records

PRESET = "dnalongbench/contact_maps"
BINS, SIZE, BASES = 448, 2048, 512 * 2048
CELLS = ["HFF", "H1hESC", "GM12878", "IMR90", "HCT116"]
SPLITS = {"train": 5, "valid": 1, "test": 3}


def matrix(record, cell):
    """A map, both of its triangles: numbers that float16 holds, other ones for every record, cell type and pair of bins."""
    first, second = np.indices((BINS, BINS))
    low, high = np.minimum(first, second), np.maximum(first, second)
    return ((low * 7 + high * 3 + 11 * cell) % 64 + (low // 64) * (record + 1)).astype(np.float16)


def target(record):
    """Row by row what lies right of the second diagonal, and that itself; a column each cell type."""
    maps = [matrix(record, cell) for cell in range(len(CELLS))]
    return np.stack([np.concatenate([rows[at, at + 2 :] for at in range(BINS)]) for rows in maps], axis=1).tobytes()


def text(record):
    found = np.random.default_rng(record).choice(np.frombuffer(b"ACGT", np.uint8), BASES)
    found[BASES // 2 : BASES // 2 + record] = ord("N")
    return found.tobytes().decode()


def one_hot(letters):
    return (np.frombuffer(letters.encode(), "S1")[:, None] == np.array(list("ACGT"), "S1")).astype(np.uint8).tobytes()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "targets"
    folder.mkdir()
    number, splits = 0, []
    for split, count in SPLITS.items():
        for file, first in enumerate(range(0, count, 3)):
            size = min(3, count - first)
            records = range(number, number + size)
            write_records(
                folder / f"{split}-{file}.tfr",
                [{"sequence": one_hot(text(record)), "target": target(record)} for record in records],
            )
            number += size
            splits += ["validation" if split == "valid" else split] * size
    return folder, splits


def coarse(record, cell, bins, parts=8):
    """The mean of each block of the middle bins, by the whole matrix and a loop."""
    first = (BINS - bins) // 2
    found = matrix(record, cell).astype(float)[first : first + bins, first : first + bins]
    side = bins // parts
    means = {}
    for a in range(parts):
        for b in range(a, parts):
            rows, columns = np.arange(a * side, (a + 1) * side), np.arange(b * side, (b + 1) * side)
            pairs = [(i, j) for i in rows for j in columns if j - i >= 2]
            means[f"{a}-{b}"] = np.mean([found[pair] for pair in pairs])
    return means


def made(folder, **settings):
    task = Sequences(kind="sequences", folder=str(folder), preset=PRESET, bootstrap=20, **settings)
    return examples(task, {}, Division())


def test_values_are_the_means_of_blocks_of_the_middle_and_the_sequence_is_that_middle(published):
    folder, splits = published
    found = made(folder, length=131_072, columns={"label": "GM12878"})
    expected = pd.DataFrame([coarse(record, 2, 64) for record in range(len(splits))])
    assert expected.shape[1] == 36
    assert found.table[[f"target_{name}" for name in expected]].to_numpy() == pytest.approx(expected.to_numpy())
    assert found.table["split"].tolist() == splits
    first = (BASES - 131_072) // 2
    assert found.table["sequence"].tolist() == [text(record)[first : first + 131_072] for record in range(len(splits))]
    notes = " ".join(found.facts["sources.tsv"]["note"])
    assert "8 x 8 blocks of the 64 bins of 2,048 bases inside of the middle 131,072 bases" in notes


def test_of_the_published_length_blocks_are_of_56_bins_of_the_cell_type_that_is_named(published):
    folder, splits = published
    for cell in ("HFF", "HCT116"):
        maps = ContactMaps(**benchmark_set(PRESET)["maps"], cell=cell, length=BASES)
        rows, means, names, _ = read_contact_maps(folder, maps)
        expected = coarse(3, CELLS.index(cell), BINS)
        assert dict(zip(names, means[3])) == pytest.approx(expected)
    assert rows["sequence"][4] == text(4) and rows["ambiguous"].tolist() == list(range(len(splits)))


@pytest.mark.parametrize("length", [49_152, 60_000, 131_072, 300_000, BASES])
def test_every_pair_of_the_bins_inside_is_in_one_block(length):
    maps = ContactMaps(**benchmark_set(PRESET)["maps"], cell="HFF", length=length)
    blocks = blocks_of(maps)
    count = blocks.bins
    assert len(blocks.pairs) == len(set(blocks.pairs)) == (count - 2) * (count - 1) // 2
    assert (set(blocks.block) == set(range(36)) and count * SIZE <= length < (count + 2) * SIZE) or count == BINS


def test_what_is_wrong_is_one_line(published, tmp_path):
    folder, _ = published

    def fails(match, folder=folder, **settings):
        with pytest.raises(InputError, match=match) as error:
            made(folder, **{"length": 131_072, "columns": {"label": "HFF"}, **settings})
        assert "\n" not in str(error.value)

    fails(r"windows of 49,151 bases hold 22 bins of 2,048, too few for 8 parts. Give 49,152 bases", length=49_151)
    fails("no folder of", folder=tmp_path)
    write_records(tmp_path / "train-0.tfr", [{"sequence": one_hot("ACGT" * 1000), "target": target(0)}])
    fails(r"train-0\.tfr, record 1: a sequence of 4,000 bases, shorter than its map", folder=tmp_path)
    write_records(tmp_path / "train-0.tfr", [{"sequence": one_hot(text(0)), "target": target(0)[:-2]}])
    fails(r"train-0\.tfr, record 1: a target of 996,808 bytes, not 99,681 contacts of 5 maps", folder=tmp_path)
    write_records(tmp_path / "train-0.tfr", [{"sequence": bytes([1, 1, 0, 0]) * BASES, "target": target(0)}])
    fails(r"train-0\.tfr, record 1: bases that are not one of four channels", folder=tmp_path)
    broken = np.frombuffer(target(0), np.float16).copy()
    broken[broken.size // 2 // 5 * 5 : broken.size // 2 // 5 * 5 + 500_000] = np.inf
    write_records(tmp_path / "train-0.tfr", [{"sequence": one_hot(text(0)), "target": broken.tobytes()}])
    fails(r"train-0\.tfr, record 1: a contact that is not finite", folder=tmp_path)


def study(**settings):
    return {
        "study": "s",
        "tasks": {"t": {"kind": "sequences", "preset": PRESET, **settings}},
        "models": {"m": {"baseline": "gc_only"}},
        "adaptations": {"b": {"kind": "baseline"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
    }


def test_checks_before_a_run_are_lines(published, tmp_path):
    folder, _ = published
    given = {"folder": str(folder), "columns": {"label": "IMR90"}}
    assert [line for _, line in check(check_study(study(**given)), "t", lambda: None)] == []
    (line,) = [line for _, line in check(check_study(study(**given, length=4096)), "t", lambda: None)]
    assert "too few for 8 parts" in line
    (tmp_path / "train-0.tfr").write_bytes(b"nothing of the kind")
    (line,) = [line for _, line in check(check_study(study(**given | {"folder": str(tmp_path)})), "t", lambda: None)]
    assert "no TFRecord file" in line
    for label in ({}, {"columns": {"label": "K562"}}, {"columns": {"label": ["HFF", "IMR90"]}}):
        with pytest.raises(ConfigurationError, match=r"columns\.label: say which map is read, one of HFF, H1hESC"):
            check_study(study(folder=str(folder), **label))
    with pytest.raises(ConfigurationError, match="is read from the `folder` of its files"):
        check_study(study(table="t.tsv", columns={"label": "HFF"}))
