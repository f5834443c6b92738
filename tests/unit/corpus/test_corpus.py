"""Corpora: formats, runs of N, copies, clusters, splits, leaks, and draws."""

import gzip
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.bases import other_strand
from glmflow.corpus.corpus_build import build, excluded
from glmflow.corpus.corpus_divided import assign, clusters
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows, sampling_weights
from glmflow.corpus.record_cleaning import cut, without_copies
from glmflow.corpus.sequence_records import Record, letters, read_records
from glmflow.errors import InputError
from glmflow.training.stream import ExampleStream
from scipy.stats import chisquare

GENBANK = """LOCUS       NC_1                     24 bp    DNA     circular BCT 01-JAN-2020
VERSION     NC_1.2
SOURCE      Escherichia coli K-12
  ORGANISM  Escherichia coli K-12
            Bacteria; Pseudomonadota; Enterobacteriaceae;
            Escherichia.
FEATURES             Location/Qualifiers
     source          1..24
                     /db_xref="taxon:83333"
ORIGIN
        1 acgtacgtac ggnnacgtac
       21 ryac
//
"""


def drawn(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


def mutated(rng, text, share):
    letters_ = np.array(list(text))
    places = rng.random(len(text)) < share
    letters_[places] = [rng.choice([base for base in "ACGT" if base != own]) for own in letters_[places]]
    return "".join(letters_)


def fasta(path, sequences):
    path.write_text("".join(f">{name} words\n{text}\n" for name, text in sequences.items()))
    return str(path)


def record(text, name="a", assembly="x", **more):
    table = np.full(256, 4, np.uint8)
    table[np.frombuffer(b"ACGT", np.uint8)] = range(4)
    return Record(name, assembly, table[np.frombuffer(text.encode(), np.uint8)], **more)


def test_genbank_is_read_with_what_it_says(tmp_path):
    path = tmp_path / "one.gbff.gz"
    path.write_bytes(gzip.compress(GENBANK.encode()))
    (found,) = read_records(path)
    assert letters(found.codes).tobytes() == b"ACGTACGTACGGNNACGTACNNAC"
    assert (found.name, found.assembly, found.taxid, found.circular) == ("NC_1.2", "one", "83333", True)
    assert (found.species, found.genus, found.family) == ("Escherichia coli", "Escherichia", "Enterobacteriaceae")
    assert not (found.codes >= 8).any(), "lower case is how GenBank writes, no mask"


def test_fasta_keeps_masks_and_names_what_is_no_nucleotide(tmp_path):
    path = tmp_path / "a.fa"
    (found,) = read_records(Path(fasta(path, {"gi|1|ref|NC_9.1|": "ACgtNR"})))
    assert found.name == "NC_9.1" and found.codes.tolist() == [0, 1, 10, 11, 4, 4]
    path.write_text(">p\nMKV\n>q\nACQ\n")
    with pytest.raises(InputError, match="q holds 'Q'"):
        list(read_records(path))


@pytest.mark.parametrize("text", ["", "ACGT\n"])
def test_what_is_no_fasta_is_refused(tmp_path, text):
    (tmp_path / "a.fa").write_text(text)
    with pytest.raises(InputError):
        list(read_records(tmp_path / "a.fa"))


def test_a_cut_off_genbank_file_is_refused(tmp_path):
    (tmp_path / "a.gb").write_text(GENBANK.replace("//\n", ""))
    with pytest.raises(InputError, match="cut off"):
        list(read_records(tmp_path / "a.gb"))


def test_runs_of_twenty_unknown_bases_cut_and_nineteen_do_not():
    text = "A" * 50 + "N" * 20 + "C" * 60 + "N" * 19 + "G" * 61 + "N" * 30 + "T" * 5
    parts = list(cut(record(text, circular=True), 10, 0.2))
    assert [part.name for part in parts] == ["a:0-50", "a:70-210"]
    assert not any(part.circular for part in parts)
    assert [one.name for one in cut(record(text), 10, 0.05)] == ["a:0-50"]
    (whole,) = cut(record("ACGT" * 10, circular=True), 10, 0)
    assert whole.circular and whole.name == "a"


def test_copies_of_either_strand_are_left_out():
    text = drawn(np.random.default_rng(0), 500)
    records = [record(text, "a"), record(other_strand(text), "b"), record(text[1:], "c"), record(text, "d")]
    kept, copies = without_copies(records)
    assert [one.name for one, _ in kept] == ["a", "c"] and copies == [("b", "a"), ("d", "a")]


def test_clusters_are_strains_and_assemblies_but_no_relatives():
    rng = np.random.default_rng(1)
    one, other = drawn(rng, 30_000), drawn(rng, 30_000)
    records = [
        record(one, "strain1", "s1"),
        record(other_strand(mutated(rng, one, 0.02)), "strain2", "s2"),
        record(mutated(rng, one, 0.12), "relative", "r"),
        record(other, "chromosome", "g"),
        record(drawn(rng, 5000), "plasmid", "g"),
    ]
    assert clusters(records, 0.95).tolist() == [0, 0, 1, 2, 2]


def table_of(sizes, **columns):
    rows = pd.DataFrame({"length": sizes})
    base = {"division": "all", "species": "", "genus": "", "family": "", "cluster": range(len(sizes))}
    return rows.assign(sequence=[f"s{n}" for n in range(len(sizes))], **{**base, **columns})


def test_whole_clusters_are_held_out_and_the_largest_is_learned_from():
    table = table_of([500, 500, 100, 100, 100, 100, 100, 100], cluster=[0, 0, 1, 1, 2, 3, 4, 5])
    split = assign(table, "cluster", 0.1, 0.2)
    assert set(split[table["cluster"] == 0]) == {"train"}
    assert table.groupby("cluster")["cluster"].size().loc[1] == 2 and split[table["cluster"] == 1].nunique() == 1
    shares = table.groupby(split)["length"].sum() / table["length"].sum()
    assert 0.05 <= shares["validation"] <= 0.15 and 0.1 <= shares["test"] <= 0.3


def test_what_is_of_one_genus_or_one_cluster_stays_together():
    table = table_of([900, 100, 100, 100], genus=["A", "B", "", "C"], cluster=[0, 1, 1, 2])
    for seed in range(5):
        split = assign(table, "genus", 0.1, 0.1, seed=seed)
        assert split[1] == split[2]
    held = assign(table, "genus", 0, 0.1, genus_holdout=["B"])
    assert held[1] == held[2] == "genus" and held[0] == "train"


def test_a_corpus_of_one_cluster_says_that_nothing_can_be_held_out():
    with pytest.raises(InputError, match="nothing that can be held out"):
        assign(table_of([100, 100], cluster=[0, 0]), "cluster", 0.1, 0.1)


@pytest.fixture
def made(tmp_path):
    def make(sequences, **settings):
        path = fasta(tmp_path / "in.fa", sequences)
        block = {"sources": [{"path": path}], "min_length": 50, **settings}
        table = build(block, tmp_path / "corpus")
        return table, Corpus(tmp_path / "corpus")

    return make


def test_what_is_written_is_read_again(made):
    rng = np.random.default_rng(2)
    text = drawn(rng, 400)
    table, corpus = made({"a": text}, split={"by": "position", "validation": 0.25, "test": 0.25})
    assert table["split"].tolist() == ["train", "validation", "test"]
    joined = b"".join(corpus.fetch(row, 0, length).tobytes() for row, length in enumerate(table["length"]))
    assert joined.decode() == text
    with pytest.raises(ValueError, match="outside"):
        corpus.codes(0, 190, 210)


def test_a_circular_sequence_goes_on_at_its_start(made):
    text = drawn(np.random.default_rng(3), 300)
    _, corpus = made({"a": text}, circular=True, split={"by": "contig", "validation": 0, "test": 0})
    assert corpus.fetch(0, 290, 310).tobytes().decode() == text[290:] + text[:10]


def test_parts_of_a_circular_sequence_have_ends(made):
    # A window that goes on from the end of a part to its start would join what lies 200 bases apart.
    text = drawn(np.random.default_rng(3), 400)
    split = {"by": "position", "validation": 0, "test": 0.5, "max_shared": 1}
    table, _ = made({"a": text}, circular=True, split=split)
    assert table["topology"].tolist() == ["linear", "linear"]
    cut_at_n = text[:200] + "N" * 30 + text[200:]
    table, _ = made({"a": cut_at_n}, circular=True, split={"by": "contig", "validation": 0, "test": 0})
    assert table["topology"].tolist() == ["linear", "linear"]


def test_records_of_one_name_in_two_files_stay_two(tmp_path):
    rng = np.random.default_rng(7)
    texts = {name: drawn(rng, 200) for name in "xyz"}
    for name, text in texts.items():
        fasta(tmp_path / f"{name}.fa", {"contig_1": text})
    again = fasta(tmp_path / "copy.fa", {"contig_1": texts["x"]})
    sources = [{"path": str(tmp_path / f"{name}.fa"), "division": f"of_{name}"} for name in texts]
    block = {"sources": [*sources, {"path": again}], "min_length": 50}
    table = build(block | {"split": {"by": "contig", "validation": 0, "test": 0}}, tmp_path / "corpus")
    assert table["sequence"].tolist() == ["contig_1", "contig_1@y", "contig_1@z"]
    assert table["division"].tolist() == ["of_x", "of_y", "of_z"]


def test_a_planted_copy_in_the_test_part_stops_the_build_and_is_counted(made, caplog):
    rng = np.random.default_rng(4)
    text = drawn(rng, 2000)
    leaking = text[:1900] + other_strand(text[100:200])
    split = {"by": "position", "validation": 0.0, "test": 0.2, "max_shared": 0.1}
    with pytest.raises(InputError, match=r"25\.0% of the held-out bases.*most of them in a:1600-2000 25%"):
        made({"a": leaking}, split=split)
    _, corpus = made({"a": leaking}, split=split | {"max_shared": 0.5})
    assert corpus.of("test")["shared"].tolist() == [pytest.approx(0.25, abs=0.01)]
    assert "split by position: one genome lies on both sides, and 25.0 % of the held-out bases (test)" in caplog.text
    assert made({"a": text}, split=split)[0]["shared"].dropna().tolist() == [0.0]


def test_the_audit_of_what_is_refused_stays_where_no_job_deletes_it(made, tmp_path):
    text = drawn(np.random.default_rng(4), 2000)
    split = {"by": "position", "validation": 0.0, "test": 0.2, "max_shared": 0.1}
    with pytest.raises(InputError) as refused:
        made({"a": text[:1900] + other_strand(text[100:200])}, split=split)
    folder = tmp_path / "corpus/refused"
    assert f"{folder} has all" in str(refused.value)
    audit, sequences = (pd.read_csv(folder / name, sep="\t") for name in ("audit.tsv", "sequences.tsv"))
    assert audit["split"].tolist() == ["test"] and audit["shared"].tolist() == [pytest.approx(0.25, abs=0.01)]
    assert sequences["sequence"].tolist() == ["a:1600-2000"] and sequences["length"].tolist() == [400]
    assert "refused" not in (Path(__file__).parents[3] / "workflow/rules/corpus.smk").read_text()
    made({"a": text}, split=split)
    assert not folder.exists() and (tmp_path / "corpus/audit.tsv").exists()


def test_a_split_by_contig_warns_with_the_share_that_strains_have_in_common(made, caplog):
    rng = np.random.default_rng(5)
    strain = drawn(rng, 4000)
    # Every record is a strain of one genome, or half of one: whichever is held out stands in training by so much.
    strains = dict.fromkeys("abcd", strain) | {name: strain[:1000] + drawn(rng, 1000) for name in "efgh"}
    split = {"by": "contig", "validation": 0.0, "test": 0.3, "max_shared": 1.0}
    table, _ = made(strains, split=split)
    held = table[table["split"] == "test"]
    known = sum(row.length if row.sequence in "abcd" else 1000 for row in held.itertuples()) / held["length"].sum()
    (said,) = re.findall(
        r"split by contig: one genome lies on both sides, and (\S+) % of the held-out bases \(test\)", caplog.text
    )
    assert float(said) == pytest.approx(100 * known, abs=0.3)  # a match goes on by chance for a base or two
    with pytest.raises(InputError, match=r"of the held-out bases \(test\) stand in training sequences"):
        made(strains, split=split | {"max_shared": 0.02})


def test_a_taxon_of_the_lineage_is_excluded():
    own = record("ACGT", species="Escherichia coli", lineage=("Bacteria", "Pseudomonadota"))
    assert excluded(own, ["pseudomonadota"]) and not excluded(own, ["Bacillota"])


def test_what_is_excluded_is_counted(made, tmp_path):
    rng = np.random.default_rng(5)
    split = {"by": "contig", "validation": 0, "test": 0}
    table, _ = made({"a": drawn(rng, 100), "b": drawn(rng, 100)}, exclude=["B"], split=split)
    assert table["sequence"].tolist() == ["a"]
    assert "sequences excluded (b)" in (tmp_path / "corpus/counts.tsv").read_text()


def test_draws_are_of_either_strand_and_of_the_seed_alone(made):
    rng = np.random.default_rng(6)
    sequences = {"a": drawn(rng, 400), "b": drawn(rng, 1200)}
    _, corpus = made(sequences, split={"by": "contig", "validation": 0, "test": 0})
    windows = CorpusWindows(corpus, "train", 40)
    draws = [
        ExampleStream(windows, len(windows), 4000, seed)[draw]["sequence"] for seed in (1, 2) for draw in range(1000)
    ]
    again = ExampleStream(CorpusWindows(Corpus(corpus.folder), "train", 40), len(windows), 50, 1)
    assert [again[draw]["sequence"] for draw in (49, 3, 20)] == [draws[49], draws[3], draws[20]]
    found = Counter()
    for window in draws:
        for name, text in sequences.items():
            found[name, "+"] += window in text
            found[name, "-"] += window in other_strand(text)
    assert sum(found.values()) == 2000
    assert abs(found["a", "+"] + found["b", "+"] - 1000) < 4 * 500**0.5
    # Sequences of one genome are drawn by their lengths.
    assert abs(found["a", "+"] + found["a", "-"] - 500) < 4 * 375**0.5


def test_a_window_and_its_reverse_complement_are_drawn_as_often(made):
    text = drawn(np.random.default_rng(8), 63)
    _, corpus = made({"a": text}, split={"by": "contig", "validation": 0, "test": 0})
    windows = CorpusWindows(corpus, "train", 60)
    found = Counter(windows(draw, None)["sequence"] for draw in range(10_000))
    places = [text[start : start + 60] for start in range(4)]
    assert set(found) == {*places, *map(other_strand, places)}  # each on both strands, and nothing else
    assert chisquare(list(found.values())).pvalue > 1e-4
    forward = sum(found[place] for place in places)
    assert abs(forward / 10_000 - 0.5) < 0.02  # four standard errors


def test_windows_rich_in_unknown_bases_are_not_drawn(made):
    rng = np.random.default_rng(7)
    text = drawn(rng, 300) + "N" * 19 + drawn(rng, 300)
    _, corpus = made({"a": text}, split={"by": "contig", "validation": 0, "test": 0})
    windows = CorpusWindows(corpus, "train", 60)
    found = [windows(index, None)["sequence"] for index in range(300)]
    assert max(window.count("N") for window in found) <= 3


def test_weights_balance_divisions_and_species():
    table = table_of(
        [9000, 800, 200, 10_000], division=["b", "b", "b", "v"], species=["x", "y", "y", ""], cluster=[0, 1, 2, 3]
    )
    assert sampling_weights(table, 0.5).tolist() == pytest.approx([0.25, 0.2, 0.05, 0.5])
    assert sampling_weights(table[:3], 1.0).tolist() == pytest.approx([0.5, 0.4, 0.1])


ANNOTATED = GENBANK.replace(
    "ORIGIN",
    """     gene            complement(3..6)
     CDS             complement(3..6)
     tRNA            join(20..24,1..1)
     regulatory      9..10
ORIGIN""",
)


def test_genes_alone_are_read_with_what_lies_around_them(tmp_path):
    (tmp_path / "a.gb").write_text(ANNOTATED)
    (found,) = read_records(tmp_path / "a.gb")
    text = letters(found.codes).tobytes().decode()

    def parts(**more):
        source = {"path": str(tmp_path / "a.gb"), "regions": "genes", **more}
        block = {
            "sources": [source],
            "min_length": 1,
            "max_n": 0.5,
            "split": {"by": "contig", "validation": 0, "test": 0},
        }
        table = build(block, tmp_path / "c")
        corpus = Corpus(tmp_path / "c")
        own = {row.sequence: corpus.fetch(row.Index, 0, row.length).tobytes().decode() for row in table.itertuples()}
        assert set(table["topology"]) == {"linear"}
        return own

    assert parts() == {f"NC_1.2:{a}-{b}": text[a:b] for a, b in ((0, 1), (2, 6), (19, 24))}
    assert "bases outside of genes\t14" in (tmp_path / "c/counts.tsv").read_text()
    assert parts(flank=1) == {f"NC_1.2:{a}-{b}": text[a:b] for a, b in ((0, 7), (18, 24))}
    with pytest.raises(InputError, match="says of no gene"):
        build({"sources": [{"path": fasta(tmp_path / "b.fa", {"b": text}), "regions": "genes"}]}, tmp_path / "c")


def test_masks_are_made_anew_and_are_those_of_low_complexity(made):
    rng = np.random.default_rng(8)
    unlike = drawn(rng, 256)
    text = unlike[:128].lower() + "CA" * 64 + unlike[128:]
    split = {"by": "contig", "validation": 0, "test": 0}
    as_given = made({"a": text}, split=split)[1].codes(0) >= 8
    anew = made({"a": text}, split=split, mask="recompute")[1].codes(0) >= 8
    assert as_given.tolist() == [True] * 128 + [False] * 256
    # Windows begin at every 32nd base: all of the repeat, and no window that holds none of it.
    assert anew[128:256].all() and not anew[:96].any() and not anew[288:].any()
    with pytest.raises(ValueError, match="leave one out"):
        made({"a": text}, split=split, mask="recompute", keep_softmask=False)


def genomes():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if not folder or not Path(folder, "genomes").is_dir():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    return Path(folder, "genomes")


def test_real_phages_cluster_by_their_identity():
    found = [one for path in sorted((genomes() / "viral").glob("*.gz")) for one in read_records(path)]
    label = dict(zip([one.name.split(".")[0] for one in found], clusters(found, 0.95).tolist()))
    phi_x = [name for name in label if name.startswith("DQ079") or name == "NC_001422"]
    assert len(phi_x) == 17 and len({label[name] for name in phi_x}) == 1
    assert label["NC_049491"] == label["NC_049492"]
    six = ["NC_013600", "NC_016566", "NC_019724", "NC_024783", "NC_028901", "NC_031081"]
    assert len({label[name] for name in six}) == 6


@pytest.mark.slow
def test_real_strains_stay_in_one_split(tmp_path):
    folder = genomes()
    divisions = ("bacteria", "viral", "plasmid", "plastid", "fungi")
    sources = [{"path": f"{folder}/{division}/*.gz", "division": division} for division in divisions]
    table = build({"sources": sources, "split": {"max_shared": 1.0}}, tmp_path)
    by_assembly = table.groupby("assembly")["split"].agg(set)
    coli = [by_assembly[f"escherichia_coli_{name}"] for name in ("K12_MG1655", "DH1", "536")]
    assert coli[0] == coli[1] == coli[2] and len(coli[0]) == 1
    assert by_assembly["helicobacter_pylori_G27"] == by_assembly["helicobacter_pylori_ELS37"]
    assert (table.groupby("cluster")["split"].nunique() == 1).all()
