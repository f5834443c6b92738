"""Windows with the coverage over them: which track stands for which on the other strand."""

from glmflow.training.inputs.track_windows import strand_swap


def test_strands_swap_within_a_biosample():
    tracks = {
        "a_plus": {"biosample": "a", "strand": "+"},
        "b_minus": {"biosample": "b", "strand": "-"},
        "a_minus": {"biosample": "a", "strand": "-"},
        "c": {"biosample": "c", "strand": "."},
        "b_plus": {"biosample": "b", "strand": "+"},
    }
    assert strand_swap(tracks) == [2, 4, 0, 3, 1]
    assert strand_swap({"only": {"biosample": "a", "strand": "-"}}) == [0]
