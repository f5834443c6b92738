"""Data sets of labelled sequences in every layout, what is taken for what, and one line for each mistake."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.packed import Collected, fetch, fetch_blocks, pack
from glmflow.genome.reference import Reference
from glmflow.labelled import delimited
from glmflow.labelled.classes import classes_table
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.framing import place_on_genome, windows_around
from glmflow.labelled.genome_check import differing_from_genome
from glmflow.labelled.given_splits import require_rows
from glmflow.labelled.rows import rows_of
from glmflow.labelled.source_files import find_parts
from glmflow.labelled.sources import read_source

ROWS = [("ACGT", "b", "train"), ("ggnA", "a", "dev"), ("AUGR", "b", "test"), ("TTTT", "a", "train")]


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def table_text(separator=",", header=("sequence", "label", "split"), rows=ROWS):
    return "\n".join(separator.join(map(str, row)) for row in (header, *rows)) + "\n"


def check(found):
    assert found.rows["sequence"].tolist() == ["ACGT", "GGNA", "ATGN", "TTTT"]
    assert found.rows["target"].tolist() == [1, 0, 1, 0] and found.labels.classes == ["a", "b"]
    assert found.rows["split"].tolist() == ["train", "validation", "test", "train"]
    assert found.rows["lower"].tolist() == [0, 3, 0, 0] and found.rows["ambiguous"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.txt", "t.parquet", "t.jsonl", "t.semicolon.csv"])
def test_a_table_of_any_form(tmp_path, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        pd.DataFrame(ROWS, columns=["sequence", "label", "split"]).to_parquet(path)
    elif name.endswith("jsonl"):
        written(path, "".join(json.dumps(dict(zip(("seq", "label", "split"), row))) + "\n" for row in ROWS))
    else:
        written(path, table_text("\t" if name == "t.tsv" else ";" if "semi" in name else ","))
    found = read_source({"table": path})
    check(found)
    assert "label = label" in found.taken[0] and "split = split" in found.taken[0]


@pytest.mark.parametrize("prefix", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_windows_lines_and_byte_order_marks(tmp_path, prefix, end):
    path = tmp_path / "t.csv"
    path.write_bytes((prefix + table_text().replace("\n", end)).encode())
    check(read_source({"table": path}))


def test_headers_in_capitals_and_named_columns(tmp_path):
    written(tmp_path / "a.csv", table_text(header=(" DNA_Sequence", "Labels", "SPLIT ")))
    check(read_source({"table": tmp_path / "a.csv"}))
    written(tmp_path / "b.csv", table_text(header=("x", "y", "z")))
    check(read_source({"table": tmp_path / "b.csv"}, columns={"sequence": "x", "label": "y", "split": "z"}))
    written(tmp_path / "c.csv", table_text().split("\n", 1)[1])
    check(read_source({"table": tmp_path / "c.csv"}, columns={"sequence": 1, "label": 2, "split": 3}))


def test_a_file_a_split_and_a_folder_of_them(tmp_path):
    for name, row in zip(("train", "dev", "test"), ROWS):
        written(tmp_path / f"gue/{name}.csv", table_text(header=("sequence", "label"), rows=[row[:2], ("CCCC", "a")]))
    found = read_source({"folder": tmp_path / "gue"})
    assert sorted(found.rows["split"].value_counts().items()) == [("test", 2), ("train", 2), ("validation", 2)]
    same = read_source({"table": {name: tmp_path / f"gue/{name}.csv" for name in ("train", "dev", "test")}})
    assert (
        same.rows.groupby("split")["sequence"].apply(list).equals(found.rows.groupby("split")["sequence"].apply(list))
    )


def test_hugging_face_shards(tmp_path):
    for split, shards in (("train", 2), ("test", 1)):
        for shard in range(shards):
            path = tmp_path / f"set/data/{split}-{shard:05}-of-{shards:05}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame({"seq": ["ACGT", "CCGT"], "label": [0, 1]}).to_parquet(path)
    found = read_source({"folder": tmp_path / "set"}, classes={0: "promoter", 1: "enhancer"})
    assert found.rows["split"].value_counts().to_dict() == {"train": 4, "test": 2}
    assert found.labels.classes == ["promoter", "enhancer"]  # integers keep their order, whatever their names


def test_class_folders_are_sorted_whatever_the_file_system_says(tmp_path):
    for split in ("train", "test"):
        for number, name in enumerate(("zebra", "ape")):
            for i in range(2):
                written(tmp_path / f"set/{split}/{name}/{i}.txt", "ACGT"[number] * (5 + i) + "\n")
    found = read_source({"folder": tmp_path / "set"})
    assert found.labels.classes == ["ape", "zebra"]
    assert set(found.rows.loc[found.rows["target"] == 0, "sequence"]) == {"CCCCC", "CCCCCC"}
    assert classes_table(found.labels, found.rows["split"]).to_numpy().tolist() == [
        [0, "ape", "ape", 2, 2],
        [1, "zebra", "zebra", 2, 2],
    ]


def test_a_class_that_one_split_lacks_is_named(tmp_path):
    for path in ("train/a/1.txt", "train/b/1.txt", "test/a/1.txt"):
        written(tmp_path / path, "ACGT")
    with pytest.raises(InputError, match="the test split has no class b"):
        read_source({"folder": tmp_path})


def test_fasta_a_class_with_intervals_in_the_names(tmp_path):
    written(tmp_path / "x.fa", ">chr1:10-14\nACgt\n>chr2:5-9(-)\nCCCC\n")
    written(tmp_path / "y.fa.gz", ">chr1:30-34 again\nGGGG\n")
    found = read_source({"fasta": {"bound": tmp_path / "x.fa", "free": tmp_path / "y.fa.gz"}})
    assert found.rows[["chrom", "start", "end", "strand"]].to_numpy().tolist() == [
        ["chr1", 10, 14, "+"],
        ["chr2", 5, 9, "-"],
        ["chr1", 30, 34, "+"],
    ]
    one_based = written(tmp_path / "z.fa", ">chr1:11-14\nACGT\n>chr1:21-24\nACGT\n")
    assert read_source({"fasta": {"a": one_based, "b": tmp_path / "y.fa.gz"}}).rows["start"].tolist() == [10, 20, 30]


def test_fasta_with_the_label_in_the_name_or_in_a_table(tmp_path):
    fasta = written(tmp_path / "t.fna", ">one|1\nACGT\n>two|0\nCCCC\n")
    assert read_source({"fasta": fasta}).rows["target"].tolist() == [1, 0]
    plain = written(tmp_path / "p.fa", ">one here\nACGT\n>two\nCCCC\n>three\nGGGG\n")
    table = written(tmp_path / "l.tsv", "id\tlabel\tsplit\ntwo\tx\ttrain\none\ty\tval\n")
    found = read_source({"fasta": plain, "table": table})
    assert dict(zip(found.rows["example"], found.rows["sequence"])) == {"one": "ACGT", "two": "CCCC"}
    assert found.labels.classes == ["x", "y"] and "1 records without a label left out" in found.taken[-1]
    written(table, "id\tlabel\nfour\tx\n")
    with pytest.raises(InputError, match="1 of 1 ids have no record, such as 'four'"):
        read_source({"fasta": plain, "table": table})


def test_regions_are_read_from_the_genome_and_never_held_as_text(tmp_path):
    genome = written(tmp_path / "g.fa", ">chr1\nACGTACGTACGTAAAA\n>chr2\nCCCCGGGG\n")
    bed = written(tmp_path / "r.bed", "1\t0\t4\tx\t5\t+\n2\t2\t6\ty\t7\t-\n")
    found = read_source({"bed": bed})
    assert "sequence" not in found.rows and found.labels.classes == ["x", "y"]
    reference = Reference(genome)
    rows = place_on_genome(found.rows, reference.contigs, "r.bed")
    assert fetch(reference, rows).text(0) == "ACGT" and fetch(reference, rows).text(1) == "CCGG"
    assert [block.text(0) for _, block in fetch_blocks(reference, rows, bases=4)] == ["ACGT", "CCGG"]
    scores = read_source({"bed": bed}, target="values")
    assert scores.rows["target"].tolist() == [5, 7]
    with pytest.raises(InputError, match="end beyond their contig: chr2:2-60"):
        place_on_genome(rows.assign(end=[4, 60]), reference.contigs, "r.bed")
    with pytest.raises(InputError, match="contigs that the genome lacks: chr3"):
        place_on_genome(rows.assign(chrom=["chr1", "chr3"]), reference.contigs, "r.bed")


def test_windows_around_a_position_as_the_long_range_benchmark_has_them():
    rows = pd.DataFrame({"chrom": "1", "start": [99, 4, 995], "end": [100, 5, 996]})  # variants at 100, 5, 996 (from 1)
    for length in (10, 11):
        windows, counts = windows_around(rows, length, {"1": 1000})
        assert windows.loc[0, "end"] - windows.loc[0, "start"] == length
        assert 99 - windows.loc[0, "start"] == length // 2  # the variant stands at L // 2
        assert counts["beyond_contig"] == 3 - len(windows) == length - 9  # the last one fits 10 bases, not 11


def test_intervals_of_genomic_benchmarks(tmp_path):
    for split in ("train", "test"):
        for name, line in (("negative", "1,chr1,10,20,-"), ("positive", "2,chr1,30,40,")):
            written(tmp_path / f"{split}/{name}.csv.gz", f"id,region,start,end,strand\n{line}\n")
    found = read_source({"folder": tmp_path})
    assert found.labels.classes == ["negative", "positive"] and found.rows["strand"].tolist() == ["-", "+"] * 2


def test_positions_that_count_from_1(tmp_path):
    table = written(tmp_path / "t.csv", "CHROM,START,STOP,label\nchr1,11,20,0\nchr1,31,40,1\n")
    found = read_source({"table": table}, one_based=True)
    assert found.rows[["start", "end"]].to_numpy().tolist() == [[10, 20], [30, 40]]


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        (["b", "a", "b"], "classes", ["a", "b"]),
        (["10", "2", "10"], "classes", ["2", "10"]),
        (["1.0", "0.0", "1.0"], "classes", ["0", "1"]),
        (["0.5", "1", "2"], "values", ["label"]),
        (["[0, 1]", "[1, 1]", "[0, 0]"], "labels", ["0", "1"]),
        (["[0 1 1]", "[1 1 0]", "[0 0 1]"], "labels", ["0", "1", "2"]),
        (["[0.5, 1]", "[1, 2]", "[0, 0]"], "values", ["0", "1"]),
    ],
)
def test_what_labels_are(tmp_path, labels, kind, classes):
    path = tmp_path / "t.tsv"
    pd.DataFrame({"sequence": ["ACGT"] * 3, "label": labels}).to_csv(path, sep="\t", index=False)
    found = read_source({"table": path}).labels
    assert (found.kind, found.classes) == (kind, classes)


def test_classes_do_not_depend_on_the_order_of_rows(tmp_path):
    for name, rows in (("a", ROWS), ("b", ROWS[::-1])):
        written(tmp_path / f"{name}.csv", table_text(rows=rows))
    one, other = (read_source({"table": tmp_path / f"{name}.csv"}) for name in "ab")
    assert one.labels.classes == other.labels.classes
    assert dict(zip(one.rows["sequence"], one.rows["target"])) == dict(
        zip(other.rows["sequence"], other.rows["target"])
    )


def test_several_columns_of_labels_or_numbers(tmp_path):
    path = written(tmp_path / "t.csv", "sequence,x,y\nACGT,0,1\nCCCC,1,1\n")
    found = read_source({"table": path}, columns={"label": ["x", "y"]})
    assert found.labels.kind == "labels" and found.rows[["target_0", "target_1"]].to_numpy().tolist() == [
        [0, 1],
        [1, 1],
    ]
    path = written(tmp_path / "t.csv", "sequence,x,y\nACGT,0.5,1\nCCCC,1,7\n")
    assert read_source({"table": path}, columns={"label": ["x", "y"]}).labels.kind == "values"


def test_only_some_rows_of_a_table(tmp_path):
    path = written(tmp_path / "t.csv", "sequence,label,task\nACGT,0,h3\nCCCC,1,h3\nGGGG,5,other\n")
    found = read_source({"table": path}, only={"task": "h3"})
    assert found.rows["sequence"].tolist() == ["ACGT", "CCCC"] and found.labels.classes == ["0", "1"]
    with pytest.raises(InputError, match="no row with task = h4"):
        read_source({"table": path}, only={"task": "h4"})


BAD = {
    "sequence,label\nACGT,a\nAC*T,b\n": r"t.csv, row 2, column sequence: '\*' at base 3 is no nucleotide. Give nucleotides",
    "sequence,label\nAC1T,a\nACGT,b\n": "t.csv, row 1, column sequence: '1' at base 3",
    "sequence,label\nAC-T,a\nACGT,b\n": "Remove the gaps",
    "sequence,label\nMKLE,a\nACGT,b\n": "'L' at base 3 is no nucleotide. Give nucleotides, not amino acids",
    "sequence,label\n,a\nACGT,b\n": "row 1, column sequence: an empty sequence",
    "sequence,label,target\nACGT,a,b\n": "two columns could be the label: 'label' and 'target'. Say which: columns: {label:",
    "seq,sequence,label\nACGT,ACGT,a\n": "two columns could be the sequence",
    "sequence,sequence,label\nA,C,a\n": "two columns are called 'sequence'",
    "dna,class\nACGT,a\n": "neither a sequence nor chrom, start and end among its columns",
    "chr,elem_start,elem_end,label\nchr1,2,20,a\n": "Say which is which: columns: {start: elem_start, end: elem_end}",
    "sequence,class\nACGT,a\n": "no labels in it",
    "sequence,label\nACGT,a\nCCCC,\n": "row 2, column label: no label",
    "sequence,label\nACGT,a\nCCCC,a\n": "one class alone: a",
    "sequence,label\nACGT,1\nCCCC,yes\n": "row 2, column label: label 'yes' among whole numbers",
    "sequence,label,split\nACGT,a,train\nCCCC,b,holdout\n": "row 2, column split: 'holdout' is no split",
    "sequence,label,split\nACGT,a,dev\nCCCC,b,valid\n": "'dev' and 'valid' both mean validation",
    "sequence,label\nACGT,a\nCCCC,b,c\n": "a row has 3 cells, the header 2",
    "sequence,label": "a table without rows",
    "chrom,start,end,label\nchr1,x,20,a\nchr1,5,9,b\n": "row 1: start 'x' is no whole number",
    "chrom,start,end,label\nchr1,20,20,a\nchr1,5,9,b\n": "chr1:20-20 is no interval",
    "chrom,start,end,strand,label\nchr1,2,20,x,a\nchr1,5,9,+,b\n": "row 1: strand 'x'",
    "": "an empty file",
    "sequence,label\n": "a table without rows",
    ">a\nACGT\n": "a FASTA file, not a table",
}


UNTOLD = {
    "t.xlsx": (b"PK\x03\x04rest", "a zip archive or an Excel file"),
    "t.csv": (gzip.compress(table_text().encode()), "gzip-compressed, not a table of text. Name it with .gz"),
    "t.tsv": (table_text("\t").encode("utf-16"), "text in UTF-16"),
    "spaces.txt": (table_text(" ").encode(), "one column alone in its first line"),
    "t.json": (json.dumps([dict(zip(("sequence", "label"), row)) for row in ROWS]).encode(), "one JSON array"),
    "pairs.csv": (
        table_text(header=("sequence", "sequence2", "label")).encode(),
        "'sequence2' holds a second sequence",
    ),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_is_no_table_of_sequences_is_said_by_what_it_is(tmp_path, name):
    (tmp_path / name).write_bytes(UNTOLD[name][0])
    with pytest.raises(InputError, match=UNTOLD[name][1]) as error:
        read_source({"table": tmp_path / name})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["chr1\t0\t9\tx".encode("utf-16"), gzip.compress(b"chr1\t0\t9\tx", mtime=0)])
def test_a_bed_file_that_is_no_text_is_one_line(tmp_path, content):
    (tmp_path / "a.bed").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as text"):
        read_source({"bed": tmp_path / "a.bed"})


@pytest.mark.parametrize("text", BAD)
def test_a_mistake_in_a_table_is_one_line_that_says_where(tmp_path, text):
    path = written(tmp_path / "t.csv", text)
    with pytest.raises(InputError, match=BAD[text]) as error:
        read_source({"table": path})
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)


def test_dates_are_no_labels_and_no_traceback(tmp_path):
    dates = pd.date_range("2020-01-01", periods=60)
    pd.DataFrame({"sequence": "ACGT", "label": dates}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="'\"2020-01-01 00:00:00\"' is no number"):
        read_source({"table": tmp_path / "t.parquet"}, target="values")


def test_sequences_as_bytes_in_parquet(tmp_path):
    rows = pd.DataFrame({"sequence": [b"ACGT", b"CCGA"], "label": ["a", "b"]})
    rows.to_parquet(tmp_path / "t.parquet")
    assert read_source({"table": tmp_path / "t.parquet"}).rows["sequence"].tolist() == ["ACGT", "CCGA"]


def test_mistakes_in_settings(tmp_path):
    path = written(tmp_path / "t.csv", table_text())
    with pytest.raises(InputError, match=r"no column 'lable'\. Did you mean 'label'"):
        read_source({"table": path}, columns={"label": "lable"})
    with pytest.raises(InputError, match="column 'label' is named as the label and as the split"):
        read_source({"table": path}, columns={"label": "label", "split": "label"})
    with pytest.raises(InputError, match="column 'label' is named as the start and as the label"):
        read_source({"table": path}, columns={"start": "label", "end": "label", "label": "label"})
    for split in ("train", "test"):
        for name in ("a", "b"):
            written(tmp_path / "laid" / split / f"{name}.csv", "sequence,label\nACGT,a\n")
    with pytest.raises(InputError, match="no column of the chrom of intervals"):
        read_source({"folder": tmp_path / "laid"})
    with pytest.raises(InputError, match="Save it as UTF-8"):
        (tmp_path / "u.csv").write_text(table_text(), encoding="utf-16")
        read_source({"table": tmp_path / "u.csv"})
    with pytest.raises(InputError, match="no role 'sequences'"):
        read_source({"table": path}, columns={"sequences": "sequence"})
    with pytest.raises(InputError, match="no name for label b"):
        read_source({"table": path}, classes={"a": "x"})
    with pytest.raises(InputError, match="give one of table, fasta, bed, folder"):
        read_source({})
    with pytest.raises(InputError, match="no such file"):
        read_source({"table": tmp_path / "absent.csv"})
    with pytest.raises(InputError, match="'other' beside splits"):
        read_source({"table": {"train": path, "other": path}})
    with pytest.raises(InputError, match="both mean validation"):
        read_source({"table": {"train": path, "dev": path, "val": path}})
    numbers = written(tmp_path / "n.csv", "sequence,label\n" + "".join(f"ACGT,{i}\n" for i in range(60)))
    with pytest.raises(InputError, match="60 whole numbers could be classes or values"):
        read_source({"table": numbers})
    assert read_source({"table": numbers}, target="values").labels.kind == "values"


def test_a_class_without_a_training_row_and_a_split_without_rows(tmp_path):
    path = written(tmp_path / "t.csv", table_text(rows=[*ROWS, ("CCCC", "c", "test")]))
    found = read_source({"table": path})
    with pytest.raises(InputError, match="class c has no row to train on"):
        classes_table(found.labels, found.rows["split"])
    with pytest.raises(InputError, match=r"the test split has no rows \(train 2, validation 1\)"):
        require_rows(found.rows["split"].iloc[[0, 1, 3]])


def test_the_file_of_a_mistake_is_named_among_several(tmp_path):
    written(tmp_path / "train.csv", table_text(header=("sequence", "label"), rows=[("ACGT", "1"), ("CCCC", "2")]))
    written(tmp_path / "test.csv", table_text(header=("sequence", "label"), rows=[("ACGT", "1"), ("CCCC", "x")]))
    with pytest.raises(InputError, match=r"test.csv, row 2, column label: label 'x' among whole numbers"):
        read_source({"folder": tmp_path})


def test_a_large_table_is_read_in_blocks(tmp_path, monkeypatch):
    """What is held beside the sequences is one block, however large the file is."""
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    monkeypatch.setattr(Collected, "BLOCK", 10_000)
    generator = np.random.default_rng(0)
    rows = [("".join(generator.choice(list("ACGT"), 200)), i % 2) for i in range(500)]
    path = written(tmp_path / "t.csv", table_text(header=("sequence", "label"), rows=rows))
    sizes = [block.num_rows for block in TableFile(path).blocks(["sequence", "label"])]
    assert len(sizes) > 20 and max(sizes) <= 4096 / 200 + 1 and sum(sizes) == 500
    read = read_source({"table": path}).rows["sequence"]
    assert read.tolist() == [row[0] for row in rows]
    assert np.shares_memory(pack(read).codes, pack(read).codes)  # packed where they lie, not copied
    broken = path.read_text().replace(rows[400][0], rows[400][0][:-1] + "*")
    with pytest.raises(InputError, match=r"row 401, column sequence: '\*' at base 200"):
        read_source({"table": written(path, broken)})


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_damaged_files_are_one_line(tmp_path, cut):
    whole = gzip.compress(table_text(rows=ROWS * 200).encode())
    path = tmp_path / "t.csv.gz"
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(InputError, match=r"t\.csv\.gz"):
        read_source({"table": path})
    parquet = tmp_path / "t.parquet"
    pd.DataFrame(ROWS, columns=["sequence", "label", "split"]).to_parquet(parquet)
    parquet.write_bytes(parquet.read_bytes()[: int(parquet.stat().st_size * cut)])
    with pytest.raises(InputError, match=r"t\.parquet"):
        read_source({"table": parquet})
    lines = written(tmp_path / "t.jsonl", '{"seq": "ACGT", "label": 1}\n{"seq": "ACGT", \n')
    with pytest.raises(InputError, match=r"t\.jsonl, line 2: not JSON"):
        read_source({"table": lines})


@pytest.mark.real
def test_published_sequences_equal_the_genome_at_their_intervals(test_data):
    """CTCF / PU.1: 35 of 35 peaks on the window of chr20; Genomic Benchmarks: intervals of five sets fit the genome."""
    genome = Reference(test_data / "human_chr20/genome.fa")
    folder = test_data / "sequences"
    peaks = {"CTCF": folder / "tf_peaks_hg19/ctcf.fa.gz", "PU1": folder / "tf_peaks_hg19/pu1.fa.gz"}
    found = read_source({"fasta": peaks})
    rows = found.rows
    here = rows[(rows["chrom"] == "chr20") & (rows["start"] >= 1_000_000) & (rows["end"] <= 2_000_000)]
    moved = here.assign(chrom="chr20w", start=here["start"] - 1_000_000, end=here["end"] - 1_000_000)
    assert differing_from_genome(moved, pack(here["sequence"]), genome)[:2] == (0, 35)
    published = set(read_source({"table": folder / "gb_human_nontata_promoters/test.csv.gz"}).rows["sequence"])
    parts = find_parts(folder / "gb_chr20w/human_nontata_promoters")
    test = pd.concat([rows_of(part, None)[0] for part in parts if part.split == "test"], ignore_index=True)
    read = fetch(genome, place_on_genome(test, genome.contigs, "gb"))
    assert sum(read.text(i) in published for i in range(read.count)) == read.count == 5


@pytest.mark.parametrize("letter", ["\u00e9", "\u2013", "\U0001f9ec", "\u0410"])
def test_a_letter_of_another_alphabet_is_shown_as_it_is_written(tmp_path, letter):
    table = written(tmp_path / "t.csv", f"sequence,label\nACGT,a\nAC{letter}G,b\nACG{letter},a\n")
    with pytest.raises(InputError, match=f"t.csv, row 2, column sequence: '{letter}' at base 3 is no nucleotide"):
        read_source({"table": table})
    files = {own: written(tmp_path / f"{own}.fa", f">1\nACGT\n>2\nAC{letter}\n") for own in "ab"}
    with pytest.raises(InputError, match=f"a.fa, row 2, column sequence: '{letter}' at base 3 is no nucleotide"):
        read_source({"fasta": files})


def test_a_byte_that_is_no_utf_8_is_shown_as_unknown(tmp_path):
    written(tmp_path / "set/b/1.txt", "ACGT\n")
    written(tmp_path / "set/a/1.txt", "").write_bytes(b"AC\xe9GT\n")
    with pytest.raises(InputError, match="a/1\\.txt: '\ufffd' at base 3 is no nucleotide"):
        read_source({"folder": tmp_path / "set"})
