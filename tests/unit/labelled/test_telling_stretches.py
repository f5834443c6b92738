"""Stretches that one class holds, wherever in its sequences: planted ones are named, and sets without any are left in peace."""

import numpy as np
import pytest
from glmflow.genome.packed import pack
from glmflow.labelled.telling_stretches import stretch_checks, telling_stretch
from real_sets import read

ADAPTER = "GATTACAGATCCTTAC"


def drawn(generator, rows=300, length=150):
    return ["".join(generator.choice(list("ACGT"), length)) for _ in range(rows)], generator.integers(0, 3, rows)


def planted(generator, text, stretch=ADAPTER):
    place = int(generator.integers(0, len(text) - len(stretch)))
    return text[:place] + stretch + text[place + len(stretch) :]


@pytest.mark.parametrize("share", [1.0, 0.7])
def test_an_adapter_of_one_class_is_named_whole(share):
    generator = np.random.default_rng(0)
    texts, target = drawn(generator)
    carrying = (target == 1) & (generator.random(len(target)) < share)
    texts = [planted(generator, text) if carried else text for text, carried in zip(texts, carrying)]
    found = telling_stretch(pack(texts), target, 3)
    assert found is not None
    text, number, own, others = found
    assert ADAPTER in text and len(text) <= len(ADAPTER) + 2
    assert number == 1 and own == pytest.approx(carrying.sum() / (target == 1).sum()) and others == 0
    name, count, total, verdict, said, _ = stretch_checks(pack(texts), target, ["a", "b", "c"])[0]
    assert (name, count, total, verdict) == ("one stretch alone", carrying.sum(), 300, "WARN")
    assert f"{ADAPTER}" in said and "of the rows of b" in said


def test_what_all_classes_share_few_rows_hold_or_nobody_planted_is_not():
    generator = np.random.default_rng(1)
    texts, target = drawn(generator)
    assert telling_stretch(pack(texts), target, 3) is None
    everywhere = [planted(generator, text) for text in texts]
    assert telling_stretch(pack(everywhere), target, 3) is None
    few = [planted(generator, text) if number == 1 and row % 4 == 0 else text for row, (text, number) in enumerate(zip(texts, target))]  # fmt: skip
    assert telling_stretch(pack(few), target, 3) is None
    repeat = [planted(generator, text, "CA" * 12) if number == 2 else text for text, number in zip(texts, target)]
    assert "CACACACACACA" in telling_stretch(pack(repeat), target, 3)[0]  # a repeat ends


@pytest.mark.parametrize("name", ["uci_splice", "gb_human_nontata_promoters", "tf_peaks_hg19"])
def test_real_sets_have_none(test_data, name):
    data, packed = read(test_data / "sequences", name)
    assert telling_stretch(packed, data.rows["target"].to_numpy(), len(data.labels.classes)) is None
