"""The curve of scores by the share of labels: which runs are one line, and which are no line at all."""

from types import SimpleNamespace

import pandas as pd
from glmflow.report.classes.class_tables import learning_rows


def study(shares):
    """A study of one task: `(model, adaptation, share)` a run, scored by ten times its share."""
    runs, cells = [], []
    for model, adaptation, share in shares:
        train = {} if share is None else {"examples": share}
        name = ("promoters", model, adaptation)
        runs.append(SimpleNamespace(name=name, adaptation=adaptation, settings={"adaptation": {"train": train}}))
        cells.append((*name, 10 * (share or 1), 0.1, 0.9))
    columns = ["task", "model", "adaptation", "value", "ci_low", "ci_high"]
    return SimpleNamespace(runs=lambda task: runs, cells={"promoters": pd.DataFrame(cells, columns=columns)})


def test_adaptations_that_differ_in_their_share_alone_are_one_line_from_few_labels_to_all():
    swept = [
        ("pretrained", "full", 1.0),  # all of them: the name as it stands in the study
        *(("pretrained", f"full-{share:g}", share) for share in (0.01, 0.1)),
        *(("pretrained", name, share) for name, share in (("random-0.1", 0.1), ("random", 1.0))),
        *(("cnn", name, share) for name, share in (("full-0.01", 0.01), ("full-0.1", 0.1), ("full", 1.0))),
        ("kmers", "baseline", None),
        ("once", "full-0.1", 0.1),
    ]
    found = learning_rows(study(swept), "promoters")
    lines = {name: (own["examples"].tolist(), own["value"].tolist()) for name, own in found.groupby("line")}
    assert lines == {
        "pretrained (full)": ([0.01, 0.1, 1.0], [0.1, 1.0, 10.0]),
        "pretrained (random)": ([0.1, 1.0], [1.0, 10.0]),
        "cnn (full)": ([0.01, 0.1, 1.0], [0.1, 1.0, 10.0]),
    }


def test_without_two_shares_there_is_no_curve():
    for runs in ([("a", "full", None)], [("a", "full-0.1", 0.1), ("b", "full-0.1", 0.1)]):
        assert learning_rows(study(runs), "promoters").empty
