"""Broken motifs beside the same changes elsewhere: what knows the motifs finds them, and finds nothing where they are moved."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.allele_sources import Truth
from glmflow.genome.reference import Reference
from glmflow.tasks.variant_effects.motif_changes import LETTERS, motif_changes, oriented_letters
from sklearn.metrics import roc_auc_score

MOTIFS = pd.DataFrame({"motif": ["TF1", "TF2"], "consensus": ["AGGACMAG", "MTATCTGC"]})
LENGTH = 60_000
OPPOSITE = str.maketrans("ACGT", "TGCA")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A random genome with a motif every 100 bases, and where they are."""
    random = np.random.default_rng(0)
    bases = random.choice(list("ACGT"), LENGTH)
    rows = []
    for number, start in enumerate(range(100, LENGTH - 100, 100)):
        motif = MOTIFS.iloc[number % 2]
        text = "".join(random.choice(list(LETTERS[letter])) for letter in motif["consensus"])
        strand = "+-"[number // 2 % 2]
        bases[start : start + 8] = list(text if strand == "+" else text.translate(OPPOSITE)[::-1])
        rows.append({"chrom": "c", "start": start, "end": start + 8, "strand": strand, "motif": motif["motif"]})
    path = tmp_path_factory.mktemp("planted") / "genome.fa"
    path.write_text(f">c\n{''.join(bases)}\n")
    return Reference(path), pd.DataFrame(rows)


def best_match(text):
    """The best match of either motif on either strand of a sequence: log-odds of .94 or .02 against a quarter."""
    best = -np.inf
    for consensus in MOTIFS["consensus"]:
        for strand in "+-":
            wanted = oriented_letters(consensus, strand)
            for at in range(len(text) - len(wanted) + 1):
                here = text[at : at + len(wanted)]
                best = max(
                    best, sum(np.log(0.94 / len(w) if b in w else 0.02) - np.log(0.25) for b, w in zip(here, wanted))
                )
    return best


def of_oracle(genome, table):
    """What an allele takes from the best match of the motifs around it: an oracle that knows both motifs."""
    found = []
    for row in table.itertuples():
        before = genome.fetch("c", row.start - 9, row.start).tobytes().decode()
        after = genome.fetch("c", row.start + len(row.ref), row.start + len(row.ref) + 9).tobytes().decode()
        found.append(best_match(before + row.ref + after) - best_match(before + row.alt + after))
    return np.array(found)


def test_an_oracle_of_the_motifs_finds_broken_ones_and_nothing_where_sites_are_moved(planted):
    genome, sites = planted
    reached = {}
    for shifted in (False, True):
        made = motif_changes(
            sites, MOTIFS, genome, Truth(contigs=["c"], sites=150, controls=2, indels=0.0, shifted=shifted)
        )
        reached[shifted] = roc_auc_score(made.table["target"], of_oracle(genome, made.table))
    assert reached[False] > 0.95
    assert abs(reached[True] - 0.5) < 0.09  # three standard errors of 150 against 300


def test_moved_sites_and_controls_lie_outside_of_motifs(planted):
    genome, sites = planted
    inside = np.zeros(LENGTH, bool)
    for row in sites.itertuples():
        inside[row.start : row.end] = True
    made = motif_changes(
        sites, MOTIFS, genome, Truth(contigs=["c"], sites=100, controls=2, indels=0.3, shifted=True)
    ).table
    assert not any(inside[row.start : row.start + len(row.ref)].any() for row in made.itertuples())
    made = motif_changes(sites, MOTIFS, genome, Truth(contigs=["c"], sites=100, controls=2, indels=0.3)).table
    broken, controls = made[made["target"] == 1], made[made["target"] == 0]
    touched = [inside[row.start : row.start + len(row.ref) + 1].any() for row in broken.itertuples()]
    assert all(touched) and not any(inside[row.start] for row in controls.itertuples())


def test_controls_are_the_same_change_in_the_group_of_their_site(planted):
    genome, sites = planted
    made = motif_changes(sites, MOTIFS, genome, Truth(contigs=["c"], sites=60, controls=3, indels=0.4)).table
    for _, group in made.groupby("match_group"):
        assert len(group) == 4 and group["target"].sum() == 1 and group["consequence"].nunique() == 1
        assert len({(len(r), len(a)) for r, a in zip(group["ref"], group["alt"])}) == 1
        single = group[(group["ref"].str.len() == 1) & (group["alt"].str.len() == 1)]
        assert len(set(zip(single["ref"], single["alt"]))) <= 1
    own = [
        genome.fetch("c", row.start, row.start + len(row.ref)).tobytes().decode() == row.ref
        for row in made.itertuples()
    ]
    assert all(own)
