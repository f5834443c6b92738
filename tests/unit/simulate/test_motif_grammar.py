import numpy as np
import pandas as pd
import pytest
from glmflow.config.simulation_settings import PromoterSettings
from glmflow.simulate.motifs import draw_grammar, log_activity
from glmflow.simulate.sequence import decode, encode
from simulation_oracles import activity, matches, reverse_complement

SETTINGS = PromoterSettings()
GRAMMAR = draw_grammar(SETTINGS, np.random.default_rng(5))
PERFECT = 1 / (1 + np.exp(-5))  # occupancy of a motif's best word: 3 bits above the threshold, 0.6 bits a unit


def _motif_table() -> pd.DataFrame:
    table = pd.DataFrame({"motif": GRAMMAR.names, "consensus": GRAMMAR.consensus})
    for row, biosample in enumerate(SETTINGS.biosamples):
        table[f"effect_{biosample}"] = GRAMMAR.effects[row]
    table["strands"] = ["both", "both", "own", "both", "both"]
    return table


def _alone(word: str, distance: int, length: int = 400) -> np.ndarray:
    """Nothing but one word, its middle `distance` bp from the transcription start."""
    start = length - distance - len(word) // 2
    return encode("N" * start + word + "N" * (length - start - len(word)))[None]


@pytest.mark.parametrize("distance", [60, 250])
def test_one_site_adds_its_effect_by_its_distance(distance):
    word = decode(GRAMMAR.first[0])
    s = PERFECT * np.exp(-(distance**2) / (2 * 250**2))
    expected = np.array([0.9, 0.3]) * s / (1 + 0.15 * s)
    assert log_activity(GRAMMAR, _alone(word, distance))[0] == pytest.approx(expected, abs=1e-5)


def test_motifs_act_on_both_strands_but_the_third():
    for index in range(5):
        word = decode(GRAMMAR.first[index])
        forward = log_activity(GRAMMAR, _alone(word, 100))
        backward = log_activity(GRAMMAR, _alone(reverse_complement(word), 100))
        if index == 2:
            assert forward[0, 0] > 0.5 and (backward == 0).all()
        else:
            assert backward == pytest.approx(forward, abs=1e-6)


def test_the_pair_acts_at_its_distance_and_in_its_order_only():
    fourth, fifth = decode(GRAMMAR.first[3]), decode(GRAMMAR.first[4])
    together = log_activity(GRAMMAR, _alone(fourth + "NNNN" + fifth, 100))
    for other in (fourth + "NNNNN" + fifth, fourth + "NNN" + fifth, fifth + "NNNN" + fourth):
        assert (together - log_activity(GRAMMAR, _alone(other, 100)) > 0.6).all()
    turned = reverse_complement(fourth + "NNNN" + fifth)
    assert log_activity(GRAMMAR, _alone(turned, 100)) == pytest.approx(together, abs=0.05)


def test_activity_equals_sliding_matrices():
    rng = np.random.default_rng(0)
    words = [decode(row) for row in np.concatenate([GRAMMAR.first, GRAMMAR.second])]
    words += [reverse_complement(word) for word in words]
    for _ in range(5):
        sequence = list("".join(rng.choice(list("ACGTN"), 300, p=[0.24, 0.25, 0.25, 0.25, 0.01])))
        for start in rng.integers(0, 290, 12):
            sequence[start : start + 8] = rng.choice(words)
        sequence = "".join(sequence)
        found = log_activity(GRAMMAR, encode(sequence)[None])[0]
        expected = [activity(sequence, _motif_table(), name, 0.8, 250) for name in SETTINGS.biosamples]
        assert found == pytest.approx(expected, abs=1e-4)


def test_padding_before_a_short_promoter_changes_nothing():
    sequence = encode("".join(np.random.default_rng(1).choice(list("ACGT"), 200)))
    padded = np.concatenate([encode("N" * 57), sequence])
    assert (log_activity(GRAMMAR, padded[None]) == log_activity(GRAMMAR, sequence[None])).all()


@pytest.mark.parametrize("seed", range(5))
def test_motifs_are_unlike_each_other(seed):
    grammar = draw_grammar(SETTINGS, np.random.default_rng(seed))
    for i, motif in enumerate(grammar.consensus):
        assert sum(letter not in "ACGT" for letter in motif) == 1
        assert matches(decode(grammar.first[i]), motif) and matches(decode(grammar.second[i]), motif)
        for j, other in enumerate(grammar.consensus):
            for word in (decode(grammar.first[j]), reverse_complement(decode(grammar.first[j]))):
                if i != j:
                    assert sum(a != b for a, b in zip(decode(grammar.first[i]), word, strict=True)) >= 3, (motif, other)
