"""Similarity of TFs by their proteins."""

import numpy as np
import pytest
from glmflow.binding.protein_similarity import protein_similarity, read_proteins
from glmflow.errors import InputError


def test_proteins_are_compared_by_their_words(tmp_path):
    path = tmp_path / "p.fa"
    path.write_text(
        ">MAX human\nmadnd\nieve*\n>MYC\nMADNDIEVE\n>REST\nWWWWWWWWW\n>REST isoform\nWWWWMADND\n>OTHER\nAAAA\n"
    )
    found = read_proteins(path, ["MAX", "MYC", "REST", "EP300"])
    assert found == {"MAX": ["MADNDIEVE"], "MYC": ["MADNDIEVE"], "REST": ["WWWWWWWWW", "WWWWMADND"]}
    alike = protein_similarity(found, ["EP300", "MAX", "MYC", "REST"])
    # 7 words each once; of the isoform 7 words (WWW twice), of which MAD, ADN and DND are shared.
    assert alike.loc["MAX", "MYC"] == pytest.approx(1) and alike.loc["MAX", "REST"] == pytest.approx(3 / 7)
    assert (alike.loc["EP300"].to_numpy() == [1, 0, 0, 0]).all() and np.array_equal(alike, alike.T)
    with pytest.raises(InputError, match="no protein of a TF of the study, such as TAF1"):
        read_proteins(path, ["TAF1"])
