"""Sequences that are padded with N to a length."""

from glmflow.genome.packed import pack, without_padding


def test_padding_is_what_stands_before_the_first_and_behind_the_last_base():
    whole = pack(["ACNGT", "", "GG"])
    assert without_padding(whole) is whole
    for texts in (["NNACNGTN", "", "NNN", "A", "NG", "CN", "NNNN"], ["NN", "AN"], ["NN"]):
        bare = without_padding(pack(texts))
        assert [bare.text(row) for row in range(bare.count)] == [text.strip("N") for text in texts]
