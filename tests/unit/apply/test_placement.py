"""Windows: the specification's formulas written out, and what they promise."""

import numpy as np
import pytest
from glmflow.effects.placement import Frame, place, windows_of
from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import Sequences, opposite, random_genome


def edits(genome, *some):
    start, end, bases = (list(values) for values in zip(*some))
    n = len(some)
    return Edits(np.arange(n), bases, np.zeros(n, np.int64), np.array(start), np.array(end), bases,
                 np.zeros(n, np.uint8), list(genome.contigs))  # fmt: skip


def literal(text, s, e, b, window, k, phase):
    """Spec 1.2: start, width, reference and alternative window; a word where there is none."""
    length, grow = len(text), max(0, (e - s) - len(b))
    width = min(window, length - grow) // k * k
    if max(e - s, len(b)) > window // 2:
        return "too_long"
    if width < k:
        return "contig_too_short"
    if k == 1:
        start = min(max(s - window // 2, 0), length - grow - width)
    else:
        starts = [x for x in range(length - grow - width + 1) if x <= s and x + width >= max(e, s + 1)]
        if not starts:
            return "at_contig_end"
        in_phase = [x for x in starts if (s - x) % k == phase]
        start = min(in_phase or starts, key=lambda x: (abs(x - (s - window // 2)), x))
    if s - start + len(b) > width or s - start >= width:
        return "at_contig_end"
    reference = text[start : start + width]
    return start, width, reference, (text[start:s] + b + text[e:])[:width]


@given(st.data(), st.sampled_from([(1, 0), (6, 3), (6, 0), (3, 1)]), st.integers(4, 40), st.integers(5, 60))
@settings(max_examples=300, deadline=None)
def test_windows_are_those_of_the_specification(data, token, window, length):
    k, phase = token
    text = random_genome(length, seed=length)
    s = data.draw(st.integers(0, length - 1))
    e = data.draw(st.integers(s, min(length, s + 8)))
    b = data.draw(st.text("ACGT", min_size=int(e == s), max_size=8))
    genome = Sequences(a=text)
    some = edits(genome, (s, e, b))
    placed = place(some, np.array([length]), Frame(window, k, phase))
    expected = literal(text, s, e, b, window, k, phase)
    if isinstance(expected, str):
        assert Reason(int(placed.reason[0])).label == expected
        return
    assert placed.reason[0] == 0
    found = windows_of(genome, some, placed, np.array([0]), "shift")
    start, width, reference, alternative = expected
    assert (placed.start[0], placed.width[0]) == (start, width)
    assert found.reference[0].tobytes().decode() == reference
    assert found.alternative[0].tobytes().decode() == alternative
    reverse = found.reversed()
    assert reverse.reference[0].tobytes().decode() == opposite(reference)
    assert reverse.alternative[0].tobytes().decode() == opposite(alternative)


def test_alternatives_of_a_site_share_one_window_and_neighbours_where_asked():
    genome = Sequences(a=random_genome(400))
    some = edits(genome, *[(s, s + 1, b) for s in (200, 203, 209, 214) for b in "AC"])
    own = place(some, np.full(8, 400), Frame(64))
    assert len(windows_of(genome, some, own, np.arange(8), "shift").reference) == 4
    shared = place(some, np.full(8, 400), Frame(64, share=10))
    assert shared.start.tolist() == [205 - 32] * 6 + [215 - 32] * 2  # centred on the middle of 200-209, 210-219
    found = windows_of(genome, some, shared, np.arange(8), "shift")
    assert len(found.reference) == 2 and found.row.tolist() == [0] * 6 + [1] * 2


def test_padding_and_skipping_at_the_ends():
    genome = Sequences(a=random_genome(100))
    some = edits(genome, (3, 4, "A"), (50, 51, "A"), (98, 99, "A"))
    padded = place(some, np.full(3, 100), Frame(20, edges="pad"))
    assert padded.start.tolist() == [-7, 40, 88] and padded.reason.tolist() == [0, 0, 0]
    found = windows_of(genome, some, padded, np.arange(3), "pad")
    texts = [row.tobytes().decode() for row in found.reference[found.row]]
    assert texts[0][:7] == "N" * 7 and texts[2][-8:] == "N" * 8 and "N" not in texts[1]
    assert [row[10] for row in found.alternative.tolist()] == [ord("A")] * 3
    skipped = place(some, np.full(3, 100), Frame(20, edges="skip"))
    assert [Reason(int(code)).label for code in skipped.reason] == ["at_contig_end", "", "at_contig_end"]


@pytest.mark.parametrize("window", [20, 21])
def test_a_shifted_window_is_not_centred(window):
    genome = Sequences(a=random_genome(100))
    some = edits(genome, (9, 10, "A"), (10, 11, "A"), (50, 53, ""), (91, 92, "A"))
    assert place(some, np.full(4, 100), Frame(window)).centred.tolist() == [False, True, True, False]
