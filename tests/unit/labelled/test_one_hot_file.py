"""HDF5 files of sequences, in the layout in which DART-Eval's export.py writes them: small ones, made here."""

import h5py
import numpy as np
import pytest
from glmflow.config import ConfigurationError, check_study
from glmflow.config.benchmark_sets import benchmark_set, set_names
from glmflow.config.tasks import task_block
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

SPLITS = {"train": 12, "val": 4, "test": 6}


def one_hot(texts):
    """As DART-Eval: a channel for each of A, C, G and T, none of them for N."""
    return np.stack([np.frombuffer(text.encode(), "S1")[:, None] == np.array(list("ACGT"), "S1") for text in texts])


def drawn(generator, count, bases):
    return ["".join(generator.choice(list("ACGT"), bases)) for _ in range(count)]


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def made(path, preset, **settings):
    task = Sequences(kind="sequences", table=str(path), preset=preset, **settings)
    return task, examples(task, {"table": str(path)}, Division())


def test_elements_and_their_controls_are_two_classes_whose_pairs_stay_together(tmp_path, generator):
    truth = {}
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for number, (split, count) in enumerate(SPLITS.items()):
            for name in ("seqs", "ctrls"):
                truth[split, name] = drawn(generator, count, 349)
                texts = [f"{text}N" for text in truth[split, name]]
                file[f"{split}/{name}"] = one_hot(texts).astype(np.uint8)
            file[f"{split}/idxs"] = np.arange(count, dtype=np.uint32) + 100 * number
    task, found = made(tmp_path / "data.h5", "dart_eval/ccre")
    table = found.table
    assert task.length == 350 and task.splits.by == "given"
    assert task_block(task.model_dump(mode="json")) == task  # as its jobs get it
    for (split, name), texts in truth.items():
        kept = (table["split"] == {"val": "validation"}.get(split, split)) & (
            table["target"] == {"seqs": "element", "ctrls": "control"}[name]
        )
        assert table["sequence"][kept].tolist() == [f"{text}N" for text in texts]
    assert found.facts["classes.tsv"]["class"].tolist() == benchmark_set("dart_eval/ccre")["classes"]
    assert (table.groupby("group")["target"].nunique() == 2).all() and table["group"].nunique() == sum(SPLITS.values())


def test_numbers_of_classes_have_the_names_of_the_cell_lines(tmp_path, generator):
    cells = benchmark_set("dart_eval/cell_type_peaks")["classes"]
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for split in SPLITS:
            file[f"{split}/seqs"] = one_hot(drawn(generator, 10, 500)).astype(np.uint8)
            file[f"{split}/labels"] = np.arange(10, dtype=np.uint8) % 5
    _, found = made(tmp_path / "data.h5", "dart_eval/cell_type_peaks")
    assert found.table["target"].tolist() == (cells * 2) * 3 and found.table["sequence"].str.len().eq(500).all()


def test_a_table_of_peaks_is_split_by_chromosome_as_published(tmp_path):
    head = "chr\tinput_start\tinput_end\telem_start\telem_end\tis_peak\tlabel\n"
    test = ("chr5", "chr10", "chr14", "chr18", "chr20", "chr22")
    chroms = ("chr1", "chr2", "chr6", "chr21", *test)
    rows = [f"{chrom}\t{n}000\t{n}500\t{n}000\t{n}500\tTrue\t{cell}\n" for chrom in chroms for n, cell in
            enumerate(("GM12878", "H1ESC", "HEPG2", "IMR90", "K562"), 1)]  # fmt: skip
    (tmp_path / "peaks.tsv").write_text(head + "".join(rows))
    _, found = made(tmp_path / "peaks.tsv", "dart_eval/cell_type_peaks")
    split = dict(zip(found.table["chrom"], found.table["split"]))
    assert split == dict(zip(chroms, ("train", "train", "validation", "validation", *["test"] * 6)))
    assert found.table["target"].nunique() == 5
    own = Sequences(kind="sequences", table="p.tsv", preset="dart_eval/cell_type_peaks", splits={"by": "random"})
    assert own.splits.by == "random"


def test_activity_is_a_value_of_peaks_and_other_regions_scored_apart(tmp_path, generator):
    counts = {}
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for split in SPLITS:
            for name in ("peaks", "idr_peaks", "nonpeaks"):
                counts[split, name] = generator.normal(size=4).astype(np.float32)
                file[f"K562/{split}/{name}/seqs"] = one_hot(drawn(generator, 4, 2114)).astype(np.uint8)
                file[f"K562/{split}/{name}/counts"] = counts[split, name]
    _, found = made(tmp_path / "data.h5", "dart_eval/chromatin_activity_K562")
    target = [name for name in found.table if name.startswith("target")]
    expected = [counts[split, name] for name in ("peaks", "nonpeaks") for split in SPLITS]
    np.testing.assert_array_equal(found.table[target[0]].to_numpy(np.float32), np.concatenate(expected))
    assert len(found.table) == 24 and len(target) == 1
    with pytest.raises(InputError, match=r"no data set GM12878/train/peaks/seqs.*It has K562; does `preset` name"):
        made(tmp_path / "data.h5", "dart_eval/chromatin_activity_GM12878")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file["val/seqs"].__setitem__((1, 7), 1), "val/seqs, row 2: bases that are not one of four channels"),
        (lambda file: file["val/seqs"].__setitem__((1, 7, 2), 9), "val/seqs, row 2: bases that are not one"),
        (lambda file: file.__delitem__("test/labels"), "no data set test/labels"),
        (lambda file: file.update({"x": 1}) or file.move("train/labels", "y") or file.update({"train/labels": [1, 2]}),
         r"/train/labels is \[2\] beside 5 sequences"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_said_in_one_line(tmp_path, generator, change, message):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for split in SPLITS:
            file[f"{split}/seqs"] = one_hot(drawn(generator, 5, 500)).astype(np.uint8)
            file[f"{split}/labels"] = np.arange(5, dtype=np.uint8)
        change(file)
    with pytest.raises(InputError, match=message) as error:
        made(tmp_path / "data.h5", "dart_eval/cell_type_peaks")
    assert "\n" not in str(error.value)


def test_a_damaged_file_and_one_without_a_preset_are_refused(tmp_path):
    (tmp_path / "data.h5").write_bytes(b"no hdf5")
    with pytest.raises(InputError, match=r"data.h5: cannot be read"):
        made(tmp_path / "data.h5", "dart_eval/ccre")
    for settings in ({}, {"preset": "gue/prom_core_tata"}):
        with pytest.raises(ValueError, match="needs the `preset` that names its arrays"):
            Sequences(kind="sequences", table="data.h5", **settings)
    with pytest.raises(ValueError, match="has no columns"):
        Sequences(kind="sequences", table="data.h5", preset="dart_eval/ccre", only={"a": "b"})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dnalongbench/transcription_initiation", "take a task of coverage tracks"),
        ("dnalongbench/eqtl", "a task of variant effects with `preset` dnalongbench/eqtl"),
        ("dart_eval/footprinting", "glmflow likelihood"),
        ("dart_eval/variants", "dart_eval/african_caqtl"),
    ],
)
def test_a_set_without_a_reader_is_refused_with_the_reason_and_what_to_do(name, why):
    assert name not in set_names()
    with pytest.raises(InputError, match=why) as error:
        benchmark_set(name)
    assert "\n" not in str(error.value)
    raw = {
        "study": "s",
        "tasks": {"t": {"kind": "sequences", "table": "t.tsv", "preset": name}},
        "models": {"m": {"baseline": "majority"}},
        "adaptations": {"b": {"kind": "baseline"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
    }
    with pytest.raises(ConfigurationError, match=why):
        check_study(raw)
