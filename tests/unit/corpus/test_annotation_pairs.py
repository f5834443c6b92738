"""Pairs of DNA and text: locations by hand and against Biopython, what is left out, splits by protein, and the lines written."""

import gzip
import io
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.cli import main
from glmflow.corpus.annotation_pairs import Pair, capped, clusters, pairs_of, sentence, splits_of, structured
from glmflow.corpus.genbank_features import Place, places, read_features, spliced

RNG = np.random.default_rng(1)
SEQUENCE = "".join(RNG.choice(list("ACGT"), 600))


def genbank(features):
    lines = [f"        {at + 1} {SEQUENCE[at : at + 60].lower()}" for at in range(0, 600, 60)]
    return (
        "LOCUS       X_1      600 bp    DNA     circular BCT 01-JAN-2020\nVERSION     X_1.1\n  ORGANISM  Made up\n"
        "            Bacteria; Madeota.\nFEATURES             Location/Qualifiers\n"
        '     source          1..600\n                     /organism="Made up"\n                     /mol_type="genomic DNA"\n'
        + features
        + "ORIGIN\n"
        + "\n".join(lines)
        + "\n//\n"
    )


def feature(kind, location, *qualifiers):
    lines = [f"     {kind:<16}{location}", *(f"                     /{text}" for text in qualifiers)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("location", "found", "whole"),
    [
        ("3..8", [Place(2, 8)], True),
        ("5", [Place(4, 5)], True),
        ("complement(3..8)", [Place(2, 8, False)], True),
        ("join(1..3,7..9)", [Place(0, 3), Place(6, 9)], True),
        ("complement(join(1..3,7..9))", [Place(6, 9, False), Place(0, 3, False)], True),
        ("join(complement(7..9),1..3)", [Place(6, 9, False), Place(0, 3)], True),
        ("order(1..2,complement(join(5..6,8..9)))", [Place(0, 2), Place(7, 9, False), Place(4, 6, False)], True),
        ("<1..>9", [Place(0, 9)], False),
        ("J00194.1:1..5", None, None),
    ],
)
def test_locations(location, found, whole):
    assert places(location) == (None if found is None else (found, whole))


def test_a_spliced_complement_is_the_other_strand_of_the_whole():
    bases = np.frombuffer(SEQUENCE.encode(), np.uint8)
    one, _ = places("complement(join(11..20,31..45))")
    assert spliced(bases, one).tobytes().decode() == other_strand(SEQUENCE[10:20] + SEQUENCE[30:45])


def test_what_is_left_out_and_what_is_said(tmp_path):
    text = feature(
        "CDS",
        "complement(11..100)",
        'gene="abc"',
        'product="long ""quoted""\n                     product"',
        'note="Smith et al., J. Mol. Biol."',
        "codon_start=2",
        "transl_table=11",
        'db_xref="GI:1"',
        'GO_process="GO:0006412 - translation [Evidence IEA]"',
        'inference="ab initio"',
    )
    text += feature("CDS", "<1..60", 'product="partial"') + feature("CDS", "101..160", "pseudo", 'product="dead"')
    text += feature("tRNA", "200..270", 'product="tRNA-Ala"') + feature("CDS", "300..360", 'locus_tag="x"')
    text += feature("gene", "200..270", 'gene="no feature of ours"') + feature("rRNA", "400..410", 'product="short"')
    (tmp_path / "a.gb").write_text(genbank(text))
    left_out = Counter()
    one, two = pairs_of(tmp_path / "a.gb", left_out)
    assert one.dna == other_strand(SEQUENCE[10:100])[1:] and one.name == "X_1.1:11-100(-)" and one.table == 11
    assert one.tags == {
        "species": "Made up",
        "lineage": "Bacteria; Madeota",
        "molecule": "genomic DNA",
        "topology": "circular",
        "division": "BCT",
        "type": "CDS",
        "gene": "abc",
        "product": 'long "quoted" product',
        "GO_process": "GO:0006412 - translation",
    }
    assert two.kind == "tRNA" and two.dna == SEQUENCE[199:270] and two.table == 0
    reasons = {
        "partial, or of another sequence": 1,
        "pseudo": 1,
        "nothing said of it": 1,
        "short, or with unknown bases": 1,
    }
    assert left_out == reasons
    (wide, _) = pairs_of(tmp_path / "a.gb", Counter(), flank=20)
    assert wide.dna == other_strand(SEQUENCE[:120])
    line = structured(one.tags, "ACGT")
    assert line.startswith("<species>Made up</species>") and line.endswith("<dna>ACGT</dna>")
    texts = {sentence(one.tags, np.random.default_rng(seed)) for seed in range(40)}
    assert 4 <= len(texts) <= 8 and all(
        "abc" in text and "translation" in text and "Smith" not in text for text in texts
    )


def coding(residues, seed):
    rng, codons = (
        np.random.default_rng(seed),
        {"A": ["GCT", "GCC", "GCA"], "L": ["CTG", "TTA"], "K": ["AAA", "AAG"], "G": ["GGT", "GGC"]},
    )
    return "".join(rng.choice(codons[one]) for one in residues)


def test_recoded_proteins_stay_together_and_others_apart():
    proteins = ["".join(np.random.default_rng(seed).choice(list("ALKG"), 80)) for seed in range(3)]
    dna = [coding(proteins[0], 1), coding(proteins[0], 2), coding(proteins[1], 3), coding(proteins[2], 4)]
    pairs = [Pair(str(number), "CDS", one, {"type": "CDS"}, 11) for number, one in enumerate(dna)]
    pairs += [
        Pair("r", "rRNA", SEQUENCE[:100], {"type": "rRNA"}, 0),
        Pair("s", "rRNA", other_strand(SEQUENCE[5:100]), {"type": "rRNA"}, 0),
    ]
    label = clusters(pairs).tolist()
    assert label[0] == label[1] and label[4] == label[5] and len(set(label)) == 4
    for seed in range(5):
        split = splits_of(np.array(label), 0.2, 0.4, np.random.default_rng(seed))
        assert split[0] == split[1] and split[4] == split[5]


def test_proteins_of_unknown_function_are_capped():
    pairs = [
        Pair(str(n), "CDS", "A", {"product": "hypothetical protein" if n % 2 else "kinase"}, 1) for n in range(100)
    ]
    kept = capped(pairs, 0.2, np.random.default_rng(1))
    assert sum("hypo" in pair.tags["product"] for pair in kept) == 12 and len(kept) == 62  # 12 of 62 are 19 %


def test_the_lines_that_are_written(tmp_path, capsys):
    text = "".join(feature("tRNA", f"{1 + 40 * n}..{35 + 40 * n}", f'product="tRNA-{n}"') for n in range(14))
    (tmp_path / "a.gb").write_text(genbank(text))
    asked = ["pairs", "--genbank", str(tmp_path / "a.gb"), "--output", str(tmp_path / "p.jsonl"), "--test", "0.2"]
    assert main([*asked, "--dropped", "1"]) == 0
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert len(lines) == 28 and "14 pairs in 14 clusters" in capsys.readouterr().out
    orders = {(line["id"], line["order"]): line for line in lines}
    for name in {line["id"] for line in lines}:
        there, back = orders[name, "text_to_dna"], orders[name, "dna_to_text"]
        assert there["target"] == back["prompt"] and there["split"] == back["split"]
        assert there["split"] == "train" or there["prompt"] == back["target"]
    prompts = {line["prompt"] for line in lines if line["split"] == "train" and line["order"] == "text_to_dna"}
    organism = "<species>Made up</species><lineage>Bacteria; Madeota</lineage><molecule>genomic DNA</molecule>"
    assert prompts == {"", organism + "<topology>circular</topology><division>BCT</division>"}
    assert main([*asked, "--validation", "0.9"]) == 1 and "leave nothing" in capsys.readouterr().err


def test_real_features_are_what_biopython_extracts():
    seqio = pytest.importorskip("Bio.SeqIO")
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    if not folder or not Path(folder, "genomes").is_dir():
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for name in (
        "plastid/arabidopsis_thaliana_chloroplast.gbff.gz",
        "plasmid/pBAD30.gbff.gz",
        "viral/NC_013600.gbff.gz",
    ):
        path = Path(folder, "genomes", name)
        ((_, bases, found),) = read_features(path)
        wanted = next(seqio.parse(io.StringIO(gzip.decompress(path.read_bytes()).decode()), "genbank"))
        assert len(found) == len(wanted.features) > 10
        for one, other in zip(found, wanted.features):
            assert one.kind == other.type
            own = places(one.location)
            assert spliced(bases, own[0]).tobytes().decode() == str(other.extract(wanted.seq)).upper(), one.location
            for key in ("gene", "product", "codon_start", "function"):
                assert one.qualifiers.get(key, []) == list(other.qualifiers.get(key, [])), one.location
