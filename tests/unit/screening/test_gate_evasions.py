"""Ways to get a piece of a hazard past the gate: each is stopped, and none of its bases stands in what the gate writes."""

import stat

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.dna.kmer_tables import names
from glmflow.dna.open_frames import translation
from glmflow.errors import InputError
from glmflow.screening.gate import Gate, GateSettings
from glmflow.screening.short_words import STRETCH


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


CODONS = [codon for codon in names(3) if translation(codon) != "*"]
GENE = "ATG" + "".join(np.random.default_rng(2).choice(CODONS, 400))
LONG = drawn(20_000, 3)


def changed(piece, every):
    return "".join(base if place % every else "ACGT"["ACGT".index(base) - 1] for place, base in enumerate(piece))


def inserted(piece, every):
    return "".join(piece[start : start + every] + "A" for start in range(0, len(piece), every))


def lost(piece, every):
    return "".join(piece[start : start + every - 1] for start in range(0, len(piece), every))


def in_turn(piece, width):
    return "".join(piece[start : start + width] + LONG[start : start + width] for start in range(0, len(piece), width))


def recoded(gene):
    generator, text = np.random.default_rng(0), ""
    for start in range(0, len(gene), 3):
        own = gene[start : start + 3]
        choices = [codon for codon in CODONS if translation(codon) == translation(own) and codon != own]
        text += str(generator.choice(choices or [own]))
    return text


def in_long(piece, place=7777):
    return LONG[:place] + piece + LONG[place + len(piece) :]


WAYS = {
    "as it is": in_long(GENE[:200]),
    "reverse complement": in_long(other_strand(GENE[:200])),
    "RNA": in_long(GENE[:200]).replace("T", "U"),
    "lower case": in_long(GENE[:200]).lower(),
    "a substitution every 20 bases": in_long(changed(GENE, 20)),
    "a substitution every 15 bases": in_long(changed(GENE, 15)),
    "other codons": in_long(recoded(GENE[:600])),
    "other codons, reverse complement": in_long(other_strand(recoded(GENE[:600]))),
    "a substitution every 10 bases": in_long(changed(GENE[:200], 10)),
    "an inserted base every 25": in_long(inserted(GENE[:600], 25)),
    "an inserted base every 12": in_long(inserted(GENE[:200], 12)),
    "an inserted base every 9": in_long(other_strand(inserted(GENE[:200], 9))),
    "a lost base every 25": in_long(lost(GENE[:600], 25)),
    "a lost base every 12": in_long(lost(GENE[:200], 12)),
    "a lost base every 10, over a border of what is compared at once": in_long(lost(GENE[:200], 10), STRETCH - 90),
    "40 bases in turn with 40 others": in_turn(GENE[:400], 40),
    "17 bases in turn with 17 others": in_long(in_turn(GENE[:200], 17)),
    "10 bases in turn with 10 others": in_long(in_turn(GENE[:200], 10)),
    "at the very end": LONG[:3333] + GENE[:50],
    "broken by N": in_long(GENE[:30] + "N" + GENE[31:90]),
    "the first half": LONG[:500] + GENE[:100],
    "the second half": GENE[100:200] + LONG[:500],
    "too short to be compared": GENE[:20],
}


@pytest.fixture
def gate(tmp_path):
    (tmp_path / "hazards.fa").write_text(f">toxin\n{GENE}\n")
    return Gate(GateSettings((tmp_path / "hazards.fa",)), tmp_path / "audit.jsonl", {})


@pytest.mark.parametrize("way", WAYS)
def test_it_is_stopped_and_leaves_no_base(gate, tmp_path, way):
    sequence = WAYS[way]
    assert gate.passed(["bad", "good"], [sequence, LONG]) == [False, True]
    text = (tmp_path / "audit.jsonl").read_text()
    assert not any(sequence[start : start + 12] in text for start in range(len(sequence) - 12))


def test_large_windows_do_not_open_the_gate(tmp_path):
    (tmp_path / "hazards.fa").write_text(f">toxin\n{GENE}\n")
    gate = Gate(GateSettings((tmp_path / "hazards.fa",), windows=(20_000,)), tmp_path / "audit.jsonl", {})
    assert gate.identity["windows"] == [50, 200, 20_000]
    assert gate.passed(["bad"], [WAYS["other codons"]]) == [False]


@pytest.mark.parametrize(
    "body",
    [
        "awk '/^>/{name=substr($1,2)} !/^>/{print name \"\\thit \" substr($1,1,60)}'",
        'awk \'/^>/{name=substr($1,2)} !/^>/{print name "\\t" substr($1,1,10) " " substr($1,11,10) " " substr($1,21,10)}\'',
        "cat",
        "grep -v '>'",
        "tail -1 >&2; exit 1",
    ],
)
def test_what_a_command_says_of_a_sequence_is_not_repeated(tmp_path, body):
    path = tmp_path / "screen.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    gate, said, bad = Gate(GateSettings(command=str(path)), tmp_path / "audit.jsonl", {}), "", GENE[:100]
    try:
        assert gate.passed(["bad"], [bad]) == [False]
    except InputError as error:
        said = str(error)
        assert "nothing is released" in said
    text = said + ((tmp_path / "audit.jsonl").read_text() if (tmp_path / "audit.jsonl").exists() else "")
    assert text and not any(bad[start : start + 8] in text for start in range(len(bad) - 8))
