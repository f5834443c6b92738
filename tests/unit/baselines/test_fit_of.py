"""Which fit a baseline has: that of the task's kind, else that of a kind with the same target."""

import pytest
from glmflow.baselines import base_labels, sequences
from glmflow.baselines.fit_baseline import fit_of


@pytest.mark.parametrize(
    ("kind", "module"), [("base_labels", base_labels), ("sequences", sequences), ("hotspots", sequences)]
)
def test_the_kind_comes_first_then_kinds_of_the_same_target(kind, module):
    """Labels of bases, whose module comes first by name, have a majority too; windows of one class cannot be fitted by it."""
    assert fit_of(kind, "majority") is module.FITS["majority"]


def test_a_baseline_of_another_target_is_not_found():
    with pytest.raises(KeyError, match="no 'mean_track'"):
        fit_of("hotspots", "mean_track")
