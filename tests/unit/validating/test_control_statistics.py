"""Controls on real E. coli against a table that was measured elsewhere: what each statistic can see."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.dna import dinucleotides, gene_calls, kmer_tables
from glmflow.dna.exact_matches import Collection
from glmflow.dna.markov import Chain
from glmflow.dna.shuffles import dinucleotide_shuffled, mutated, shuffled

pytestmark = [pytest.mark.slow, pytest.mark.real]
DATA = Path(os.environ.get("GLMFLOW_TEST_DATA", "absent")) / "genomes"
SIZE = 100_000


@pytest.fixture(scope="module")
def genome():
    pytest.importorskip("pyrodigal")
    if not DATA.is_dir():
        pytest.skip("set GLMFLOW_TEST_DATA to the folder of real test data")
    with gzip.open(DATA / "bacteria/escherichia_coli_K12_MG1655.gbff.gz", "rt") as file:
        text = file.read()
    letters = text[text.index("ORIGIN") + 6 : text.rindex("//")].upper()
    return letters.translate({ord(letter): None for letter in "0123456789 \n\r"})


@pytest.fixture(scope="module")
def measured():
    rows = json.loads((DATA / "expected/control_statistics.json").read_text())
    return {row["name"]: row for row in rows}


def test_as_measured(genome, measured):
    training, reference = genome[:4_000_000], genome[4_200_000:4_400_000]
    floor = genome[4_000_000:4_100_000]
    generator = np.random.default_rng(0)
    groups = {
        "real, held-out (floor)": floor,
        "real, held-out 2": genome[4_150_000:4_250_000],
        "training copy": genome[500_000:600_000],
        "mononucleotide shuffle": shuffled(floor, generator),
        "dinucleotide shuffle": dinucleotide_shuffled(floor, generator),
        **{f"Markov-{order}": Chain([training], order).draw(SIZE, generator) for order in (2, 5, 8)},
        "Markov-11 (memorises)": Chain([training], 11).draw(SIZE, generator),
        **{f"mutated {share} %": mutated(floor, share / 100, generator) for share in (1, 5, 20)},
    }
    chain, collection = Chain([training], 5), Collection([training])

    def tables(sequence):
        one, two = (kmer_tables.counts([sequence], k) for k in (1, 2))
        found = gene_calls.genes(sequence)
        return dinucleotides.odds(one, two), found, gene_calls.codon_counts(sequence, found)

    odds, _, codons = tables(reference)
    counts = {k: kmer_tables.counts([reference], k) for k in (3, 6)}
    for name, sequence in groups.items():
        known = measured[name]
        exact = name.startswith("real") or name == "training copy"
        own_odds, found, own_codons = tables(sequence)
        match = collection.match(sequence)
        values = {
            "gc": (kmer_tables.gc_share(sequence), 0.006),
            "js3": (kmer_tables.divergence(kmer_tables.counts([sequence], 3), counts[3]), 0.0006),
            "js6": (kmer_tables.divergence(kmer_tables.counts([sequence], 6), counts[6]), 0.0025),
            "delta": (dinucleotides.odds_distance(own_odds, odds), 0.012),
            "m5": (chain.bits_per_base([sequence]), 0.008),
            "coding": (gene_calls.coding_bases(found, len(sequence)) / len(sequence), 0.09),
            "median_gene": (float(np.median([gene.end - gene.start for gene in found])), 90),
            "codon_js": (kmer_tables.divergence(own_codons, codons), 0.012),
            "covered": (match.covered(32) / len(sequence), 0.02),
        }
        for key, (value, tolerance) in values.items():
            assert value == pytest.approx(known[key], abs=1e-9 if exact else tolerance), (name, key)
        # The table joins matches that overlap into one; a match is one stretch of the training sequence.
        assert match.longest <= known["longest"] if exact else True
        assert match.longest >= 0.97 * known["longest"] if exact else match.longest < 400
    assert collection.match(groups["training copy"]).longest == SIZE
