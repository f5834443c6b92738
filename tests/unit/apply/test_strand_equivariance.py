"""Caduceus-PS is equivariant but for the [SEP] behind its sequence: near it strands differ, far from it they do not."""

import numpy as np
import pytest
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.score_catalogue import asked
from glmflow.effects.scored_edits import Settings, score_edits
from glmflow.genome.edits import Records, edits_of
from glmflow.models import load_model
from toy_models import Sequences, random_genome


@pytest.mark.real
@pytest.mark.slow
def test_strands_of_caduceus_ps_agree_from_256_bases_on(test_data):
    model = LikelihoodModel(load_model(test_data / "parity/caduceus-ps"))
    text = random_genome(1200, seed=4)
    genome = Sequences(a=text)
    places = [400, 531, 777]
    alts = [next(base for base in "ACGT" if base != text[place]) for place in places]
    edits = edits_of(Records(["a"] * 3, places, [text[place] for place in places], alts), genome)
    apart = {}
    for window in (64, 256):
        values = score_edits(model, genome, edits, asked(model, ["llr"]), Settings(window)).values[:, 0]
        apart[window] = np.abs(values[:, 0] - values[:, 1]).max()
    assert apart[256] < 1e-4 < apart[64]
