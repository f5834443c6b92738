"""Protein families of sequences: counts by hand; profiles that are built here, and proteins of theirs planted in random DNA."""

import gzip
import io
import random

import numpy as np
import pandas as pd
import pytest
from glmflow.bases import other_strand
from glmflow.checks.generation import check
from glmflow.cli import main
from glmflow.config.tasks.generation import Generation
from glmflow.dna.protein_profiles import proteins, read_profiles
from glmflow.errors import InputError
from glmflow.likeness.compared_groups import beside_real, real_pieces, real_side
from glmflow.likeness.further_measures import Further
from glmflow.likeness.group_values import GENERATED, REAL
from glmflow.likeness.judgement import sentences
from glmflow.likeness.protein_families import (
    families_found,
    family_counts,
    hits_per_kb,
    matched_share,
    real_families_held,
    use_in_common,
)
from glmflow.validating.piece_judges import families_of
from pydantic import ValidationError

CODONS = dict(
    zip(
        "ACDEFGHIKLMNPQRSTVWY",
        [
            "GCG",
            "TGC",
            "GAT",
            "GAA",
            "TTT",
            "GGC",
            "CAT",
            "ATT",
            "AAA",
            "CTG",
            "ATG",
            "AAC",
            "CCG",
            "CAG",
            "CGT",
            "AGC",
            "ACC",
            "GTT",
            "TGG",
            "TAT",
        ],
    )
)
RESIDUES = "".join(CODONS).replace("M", "")  # a gene has one place to start at
LENGTH = 140
ONE, OTHER = ("".join(random.Random(seed).choices(RESIDUES, k=LENGTH)) for seed in (1, 2))


def varied(protein, seed, share=0.15):
    """A relative of a protein: a share of its residues are others."""
    draw = random.Random(seed)
    return "".join(draw.choice(RESIDUES) if draw.random() < share else residue for residue in protein)


def gene(protein):
    """A gene behind a site where ribosomes bind, which Prodigal looks for."""
    return "AGGAGGTAATACAT" + "ATG" + "".join(CODONS[residue] for residue in protein) + "TAA"


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def holding(protein, seed, reverse=False):
    """A piece of 600 bases with the gene of a protein, in a sequence without open frames (stops in all of them)."""
    own = gene(protein)
    own = other_strand(own) if reverse else own
    around = "TTAATTAACTAGCTAG" * 40
    start = 50 + seed % 100
    return around[:start] + own + around[: 600 - start - len(own)]


def written(path, families, alphabet="amino", edit=lambda hmm: None):
    """A file of profiles, each built of five aligned relatives of a sequence."""
    plan7, easel = pytest.importorskip("pyhmmer.plan7"), pytest.importorskip("pyhmmer.easel")
    abc = getattr(easel.Alphabet, alphabet)()
    builder, background, text = plan7.Builder(abc), plan7.Background(abc), io.BytesIO()
    for name, relatives in families.items():
        rows = [easel.TextSequence(name=f"s{n}", sequence=own) for n, own in enumerate(relatives)]
        hmm = builder.build_msa(easel.TextMSA(name=name, sequences=rows).digitize(abc), background)[0]
        edit(hmm)
        hmm.write(text)
    path.write_bytes(text.getvalue())
    return path


def relatives(protein):
    return [varied(protein, seed) for seed in range(10, 15)]


@pytest.fixture(scope="module")
def hmms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hmms")
    return written(folder / "two.hmm", {"one": relatives(ONE), "other": relatives(OTHER)})


# Counting, without the library


def test_counts_of_a_piece():
    assert family_counts([[0, 2], [], [2]], 3, 500).tolist() == [500, 3, 2, 1, 0, 2]
    assert family_counts([], 2, 80).tolist() == [80, 0, 0, 0, 0]


def test_statistics_of_two_pieces_by_hand():
    sums = family_counts([[0, 2], [], [2, 3]], 4, 500) + family_counts([[2]], 4, 1500)
    real = {"families": family_counts([[0], [1], [2], [2]], 4, 1000)}
    assert matched_share(sums, real) == 3 / 4
    assert hits_per_kb(sums, real) == pytest.approx(5 / 2)
    assert families_found(sums, real) == 3
    assert real_families_held(sums, real) == pytest.approx(2 / 3)
    # Per 1,000 bases: 0.5, 0, 1.5, 0.5 here and 1, 1, 2, 0 in real pieces.
    assert use_in_common(sums, real) == pytest.approx((0.5 + 1.5) / (1 + 1 + 2 + 0.5))
    both = np.stack([sums, real["families"]])
    assert use_in_common(both, real) == pytest.approx([2 / 4.5, 1]) and families_found(both, real).tolist() == [3, 3]


def test_nothing_found_is_no_number():
    none = family_counts([], 2, 100)
    assert np.isnan(matched_share(none, {})) and hits_per_kb(none, {}) == 0 and families_found(none, {}) == 0
    assert np.isnan(real_families_held(none, {"families": none})) and np.isnan(use_in_common(none, {"families": none}))


# Proteins


@pytest.mark.parametrize("known", [True, False])
def test_proteins_of_genes_on_both_strands(known, monkeypatch):
    if known:
        pytest.importorskip("pyrodigal")
    monkeypatch.setattr("glmflow.dna.protein_profiles.genes_known", lambda: known)
    for reverse in (False, True):
        assert "M" + ONE in proteins(holding(ONE, 7, reverse))


# Profiles


@pytest.mark.parametrize("known", [True, False])
def test_planted_proteins_are_found_and_shuffled_ones_are_not(hmms, known, monkeypatch):
    if known:
        pytest.importorskip("pyrodigal")
    monkeypatch.setattr("glmflow.dna.protein_profiles.genes_known", lambda: known)
    families = families_of(hmms)
    planted = [holding(varied(ONE, seed), seed, seed % 2 == 1) for seed in range(100, 110)]
    for piece in planted:
        assert families(piece)[3:].tolist() == [1, 0] and families(piece)[[0, 2]].tolist() == [600, 1]
    for seed, piece in enumerate(planted):
        shuffled = list(ONE)
        random.Random(seed).shuffle(shuffled)
        assert families(holding("".join(shuffled), seed))[2:].tolist() == [0, 0, 0]  # a protein of the same residues
        mixed = list(piece)
        random.Random(seed).shuffle(mixed)
        assert families("".join(mixed))[2:].tolist() == [0, 0, 0]


def test_hits_are_those_of_a_search(hmms):
    """The other way round (`hmmsearch`) as the oracle: bit scores are the same, and the E-value is p times the profiles."""
    pyhmmer = pytest.importorskip("pyhmmer")
    texts = [varied(ONE, seed, share) for seed, share in enumerate(np.linspace(0.1, 0.95, 120))]
    abc = pyhmmer.easel.Alphabet.amino()
    block = pyhmmer.easel.DigitalSequenceBlock(
        abc, [pyhmmer.easel.TextSequence(name=str(n), sequence=text).digitize(abc) for n, text in enumerate(texts)]
    )
    with pyhmmer.plan7.HMMFile(hmms) as file:
        hmm = next(file)
    found = {int(hit.name): 2 * hit.pvalue for hit in pyhmmer.plan7.Pipeline(abc, E=10, Z=1).search_hmm(hmm, block)}
    assert min(found.values()) < 1e-50 and max(found.values()) > 1e-7
    for evalue in (1e-7, 1e-10, 1e-40, 1e-5):
        profiles = read_profiles(hmms, evalue)
        own = [n for n, text in enumerate(texts) if 0 in profiles.families_of(text)]
        assert own == [n for n in range(120) if found.get(n, 99) <= evalue]
    default = read_profiles(hmms)
    assert [default.families_of(text) for text in texts] == [
        read_profiles(hmms, 1e-5).families_of(text) for text in texts
    ]


def test_gathering_cutoffs_are_the_profiles_own(tmp_path):
    def least(score):
        return lambda hmm: setattr(hmm.cutoffs, "gathering", (score, score))

    low = written(tmp_path / "low.hmm", {"one": relatives(ONE)}, edit=least(5.0))
    high = written(tmp_path / "high.hmm", {"one": relatives(ONE)}, edit=least(500.0))
    assert read_profiles(low, gathering=True).families_of(ONE) == [0]
    assert read_profiles(high, gathering=True).families_of(ONE) == []
    assert read_profiles(high).families_of(ONE) == [0]
    bare = written(tmp_path / "bare.hmm", {"one": relatives(ONE)})
    with pytest.raises(InputError, match="profile one has no gathering cutoff"):
        read_profiles(bare, gathering=True)


def test_odd_proteins_do_not_stop_a_search(hmms):
    profiles = read_profiles(hmms)
    assert profiles.families_of("X" * 50) == [] and profiles.families_of("M") == []
    assert profiles.families_of(ONE + "G" * 120_000) == [0]  # longer than HMMER reads


# Files that cannot be used


def bad(folder, hmms):
    """Files that are no profiles of proteins, with what is said of them."""
    text = hmms.read_bytes()
    whole = {
        "words.hmm": (b"these are words\n", "no file of HMMER3 profiles"),
        "empty.hmm": (b"", "no file of HMMER3 profiles"),
        "proteins.fa": (b">one\nMKL\n", "no file of HMMER3 profiles"),
        "old.hmm": (text.replace(b"HMMER3/f", b"HMMER2.0", 1), "no file of HMMER3 profiles"),
        "cut.hmm": (text[: len(text) // 2], "damaged, or no file of HMMER3 profiles"),
        "cut.hmm.gz": (gzip.compress(text)[:-2000], "damaged"),
        "twice.hmm": (text + text, "two profiles are called one"),
        "bare.hmm": (
            b"".join(row for row in text.splitlines(True) if not row.startswith(b"STATS")),
            "no E-value statistics",
        ),
    }
    for name, (content, said) in whole.items():
        (folder / name).write_bytes(content)
        yield folder / name, said
    letters = [drawn(80, 5)] * 3
    yield written(folder / "dna.hmm", {"dna": letters}, "dna"), "profile dna is of DNA, not of proteins"
    mixed = folder / "mixed.hmm"
    mixed.write_bytes(text + (folder / "dna.hmm").read_bytes())
    yield mixed, "several alphabets"
    yield folder / "missing.hmm", "no such file"


def test_files_that_are_no_profiles_of_proteins_are_one_line(hmms, tmp_path):
    for path, said in bad(tmp_path, hmms):
        with pytest.raises(InputError, match=said) as error:
            read_profiles(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value), path.name


def test_compressed_profiles_are_read_as_plain_ones(hmms, tmp_path):
    packed = tmp_path / "two.hmm.gz"
    packed.write_bytes(gzip.compress(hmms.read_bytes()))
    assert read_profiles(packed).names == read_profiles(hmms).names == ["one", "other"]
    assert read_profiles(packed, most=1).names == ["one"]


def test_a_missing_package_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyhmmer.plan7", None)
    monkeypatch.setitem(__import__("sys").modules, "pyhmmer.easel", None)
    with pytest.raises(InputError, match=r"pyhmmer is not installed.*glmflow\[hmms\]"):
        read_profiles(tmp_path / "any.hmm")


# A study


def settings(**given):
    return Generation.model_validate(
        {"kind": "generation", "corpus": "c", "gate": {"acknowledged": "a simulated genome"}} | given
    )


class OneTask:
    """What `check` asks of a study."""

    results = "results/s"

    def __init__(self, task):
        self.tasks = {"t": task}


def test_files_are_opened_before_any_job(hmms, tmp_path):
    assert list(check(OneTask(settings(hmms=str(hmms), hmm_evalue=1e-3)), "t", lambda: None)) == []
    (key, said), *more = check(OneTask(settings(hmms=str(hmms), hmm_gathering=True)), "t", lambda: None)
    assert key == ("hmms",) and "no gathering cutoff" in said and not more
    (tmp_path / "m.meme").write_text("no motifs\n")
    given = settings(hmms=str(tmp_path / "m.meme"), motifs=str(tmp_path / "m.meme"))
    assert [key for key, _ in check(OneTask(given), "t", lambda: None)] == [("motifs",), ("hmms",)]
    made = settings(hmms="results/s/made.hmm", motifs=str(tmp_path / "not there.meme"))
    assert list(check(OneTask(made), "t", lambda: None)) == []  # said where files are asked for


def test_a_hit_without_profiles_is_refused():
    for given in ({"hmm_evalue": 1e-3}, {"hmm_gathering": True}):
        with pytest.raises(ValidationError, match="which is not given"):
            settings(**given)
    with pytest.raises(ValidationError, match="not by both"):
        settings(hmms="a.hmm", hmm_evalue=1e-3, hmm_gathering=True)
    with pytest.raises(ValidationError, match="hmm_evalue"):
        settings(hmms="a.hmm", hmm_evalue=0)
    again = settings(**settings(hmms="a.hmm").model_dump(exclude={"kind", "corpus", "gate"}))  # as jobs read it
    assert again.judged and again.hmm_evalue is None


# Beside real sequences and controls


def test_families_tell_real_sequences_from_controls(hmms, monkeypatch):
    monkeypatch.setattr("glmflow.dna.gene_calls.genes_known", lambda: False)
    monkeypatch.setattr("glmflow.dna.protein_profiles.genes_known", lambda: False)

    def real(count, seed):
        return [holding(varied(ONE if n % 2 else OTHER, seed + n), seed + n, n % 4 > 1) for n in range(count)]

    training, generator = real(40, 5000), np.random.default_rng(0)
    pieces = real_pieces(real(36, 1000), training, {}, 600, 12, generator)
    side = real_side(pieces, training, 600, Further(families=families_of(hmms)))
    only_one = [(str(n), holding(varied(ONE, 9000 + n), n)) for n in range(12)]
    all_of_it = beside_real(only_one, side, 200, generator)
    found = all_of_it.values.set_index(["statistic", "group"])
    value, differs = found["value"], found["differs"]
    assert value["family_hits", REAL] == pytest.approx(1 / 0.6, rel=0.1)  # one gene a piece of 600 bases
    assert 0 < value["family_share", REAL] <= 1 and value["family_share", "mononucleotide shuffle"] == 0
    assert value["families", REAL] == 2 and value["families", GENERATED] == 1
    assert value["families_held", REAL] == 1 and value["families_held", GENERATED] == 0.5
    assert differs["family_use", GENERATED] and not differs["family_use", "training copy"]
    for name in ("family_hits", "family_use"):
        assert "dinucleotide shuffle" in found.loc[(name, REAL), "detects"].split("; ")
        assert np.isfinite(found.loc[name, ["value", "ci_low", "ci_high"]].to_numpy(float)).all()
    none = all_of_it.values.assign(floor=0.0)
    for values, said in ((all_of_it.values, False), (none, True)):
        text = " ".join(sentences(values, all_of_it.copies, all_of_it.threshold, ""))
        assert ("No profile HMM has a hit in held-out real sequences" in text) == said


def test_the_command_shows_families(hmms, tmp_path, capsys):
    sets = {"generated": 12, "source": 40, "train": 20}
    for place, (name, count) in enumerate(sets.items()):
        rows = (f">{n}\n{holding(varied(ONE, 100 * place + n), n)}\n" for n in range(count))
        (tmp_path / f"{name}.fa").write_text("".join(rows))
    given = [part for name in sets for part in (f"--{name}", str(tmp_path / f"{name}.fa"))]
    given = ["validate", *given, "--output", str(tmp_path / "out"), "--draws", "20"]
    assert main([*given, "--hmm-evalue", "1e-3"]) == 1 and "of --hmms, which is not given" in capsys.readouterr().err
    assert main([*given, "--hmms", str(hmms), "--hmm-evalue", "0"]) == 1
    assert main([*given, "--hmms", str(tmp_path / "train.fa")]) == 1
    assert "no file of HMMER3 profiles" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert main([*given, "--hmms", str(hmms), "--hmm-evalue", "1e-6"]) == 0
    values = pd.read_csv(tmp_path / "out/validation.tsv", sep="\t").set_index(["statistic", "group"])["value"]
    assert values["families", GENERATED] == 1 and values["families_held", GENERATED] == 1
    page = (tmp_path / "out/validation.html").read_text()
    assert "proteins in a family" in page and "profile HMMs" in page and "two.hmm" in page
    assert "No profile HMM has a hit" not in capsys.readouterr().out
