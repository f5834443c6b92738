"""A genome of repeats: its copies are there, near and far, and its bytes depend on the settings alone."""

import numpy as np
import pytest
from glmflow.config.simulation import Repeats
from glmflow.genome.repeated_segments import find_repeats, markov_chain
from glmflow.simulate.outputs import stream
from glmflow.simulate.repeat_genome import repeat_contig, simulate_genome

CHAIN = markov_chain(np.random.default_rng(0))


def distances(near, length=60_000):
    settings = Repeats(contigs={"a": length}, near=near, near_bp=96, reach=2048, substitutions=0)
    sequence, _ = repeat_contig(CHAIN, length, stream(1, "a"), settings)
    found = find_repeats(sequence, 16)
    return found[found > 0]


@pytest.mark.parametrize("near", [0.0, 1.0])
def test_copies_lie_where_they_were_asked_for(near):
    found = distances(near)
    share = (found <= 96).mean()
    # log-uniform from about 36 to 2,048: ln(96 / 36) / ln(2048 / 36) = 0.24 of them lie within 96
    assert share == pytest.approx(1 if near else 0.24, abs=0.1)


def test_most_bases_continue_a_copy():
    # Copies of 36 bases on average, gaps of 10; from the 17th base on a copy is recognised: 20 of 46 bases.
    assert len(distances(0.7)) / 60_000 == pytest.approx(20 / 46, abs=0.06)


def test_the_same_settings_write_the_same_genome(tmp_path):
    settings = Repeats(contigs={"a": 5000, "b": 3001}, seed=4)
    for name in ("one.fa", "two.fa"):
        simulate_genome(settings, tmp_path / name)
    text = (tmp_path / "one.fa").read_text()
    assert text == (tmp_path / "two.fa").read_text()
    contigs = {part.split("\n")[0]: "".join(part.split("\n")[1:]) for part in text.split(">")[1:]}
    assert {name: len(sequence) for name, sequence in contigs.items()} == settings.contigs
    assert set(contigs["a"]) == set("ACGT")
