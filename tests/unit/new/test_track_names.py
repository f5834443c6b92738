"""Biosample, strand and replicate by the names of files, in the patterns that are met."""

import re

import pytest
from glmflow.new.track_names import grouped, read_names

PATTERNS = {
    # name of the pattern: files, and what (biosample, strand, number of replicates) they have to be
    "strand last": (["B.1.plus.bw", "B.2.plus.bw", "B.1.minus.bw", "NK.1.plus.bw"],
                    {("B", "+", 2), ("B", "-", 1), ("NK", "+", 1)}),
    "rep in the middle": (["K562_rep1_fwd.bigWig", "K562_rep2_fwd.bigWig", "HepG2_rep1_rev.bigWig"],
                          {("K562", "+", 2), ("HepG2", "-", 1)}),
    "donors": (["AMY_HSB113.bw", "AMY_HSB123.bw", "AMY_HSB126.bw"], {("AMY", ".", 3)}),
    "donors of two tissues": (["AMY_HSB113.bw", "AMY_HSB123.bw", "CBC_HSB113.bw", "CBC_HSB123.bw"],
                              {("AMY", ".", 2), ("CBC", ".", 2)}),
    "words of all names": (["run7_liver_coverage.bw", "run7_brain_coverage.bw"], {("liver", ".", 1), ("brain", ".", 1)}),
    "a sign at the end": (["nk.+.bw", "nk.-.bw"], {("nk", "+", 1), ("nk", "-", 1)}),
    "biological and technical": (["HUES6_BR1.bw", "HUES6_BR2.bw"], {("HUES6", ".", 2)}),
    "one file": (["/data/liver.plus.rep3.bw"], {("liver", "+", 1)}),
    "a cell line that looks like an identifier": (["K562.plus.bw", "K562.minus.bw"], {("K562", "+", 1), ("K562", "-", 1)}),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_names_are_read(name):
    paths, expected = PATTERNS[name]
    groups = grouped(read_names(paths))
    assert {(group.biosample, group.strand, len(group.paths)) for group in groups} == expected
    assert sorted(path for group in groups for path in group.paths) == sorted(paths), "every file once"


@pytest.mark.parametrize("name", PATTERNS)
def test_labels_can_stand_in_paths_and_differ(name):
    labels = [group.label for group in grouped(read_names(PATTERNS[name][0]))]
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", label) for label in labels)


def test_files_that_no_word_tells_apart_stay_apart():
    """Two files of one name in two folders may be anything: they are not averaged."""
    groups = grouped(read_names(["a/liver.bw", "b/liver.bw"]))
    assert [len(group.paths) for group in groups] == [1, 1] and groups[0].label != groups[1].label
