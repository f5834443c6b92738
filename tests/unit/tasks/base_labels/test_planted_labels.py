"""Labels of bases in which something is wrong by design are named by the audit; sound ones are not."""

import numpy as np
import pytest
from glmflow.config.tasks.base_labels import BaseLabels
from glmflow.tasks.base_labels import examples
from glmflow.tasks.tables import Division

SIZE, MOTIF, TURNED = 64, "TATAAA", "TTTATA"
WINDOWS = {"1": 160, "2": 40, "3": 60}
SPLITS = {"by": "contig", "train": ["1"], "validation": ["2"], "test": ["3"]}
FOUND = ("test windows of each class", "classes of test windows", "places of labels")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """A genome without T but for a motif in every second window, on either strand, which is the class `box`: its segments."""
    folder = tmp_path_factory.mktemp("planted")
    generator = np.random.default_rng(0)
    segments = []
    with (folder / "g.fa").open("w") as file:
        for chrom, windows in WINDOWS.items():
            bases = generator.choice(list("ACG"), windows * SIZE)
            for window in range(0, windows, 2):
                start, strand = window * SIZE + int(generator.integers(10, 46)), "+-"[int(generator.integers(2))]
                bases[start : start + 6] = list(MOTIF if strand == "+" else TURNED)
                segments.append((chrom, start, start + 6, "box", strand))
            file.write(f">{chrom}\n{''.join(bases)}\n")
    return folder / "g.fa", segments


def in_test(change):
    """Segments with a change to those of the test contig."""
    return lambda segments: [change(one) if one[0] == "3" else one for one in segments]


def of_another_contig(segments):
    last = WINDOWS["3"] * SIZE
    return [one for one in segments if one[0] != "3"] + [
        ("3", *one[1:]) for one in segments if one[0] == "1" and one[2] <= last
    ]


PLANTED = {
    "nothing": (lambda s: s, {}, None, ""),
    "nothing, by strand": (lambda s: s, {"by_strand": True}, None, ""),
    "nothing, in bins": (lambda s: s, {"bin": 4}, None, ""),
    "counted from 1": (in_test(lambda s: (s[0], s[1] + 1, s[2] + 1, *s[3:])), {}, FOUND[2], "box begins 1 later"),
    "an end left out": (in_test(lambda s: (*s[:2], s[2] - 1, *s[3:])), {}, FOUND[2], "box ends 1 earlier"),
    "labels of another contig": (of_another_contig, {}, FOUND[1], "box like none"),
    "labels of another contig, in bins": (of_another_contig, {"bin": 4}, FOUND[1], "box like none"),
    "strands swapped": (
        in_test(lambda s: (*s[:4], "+-"[s[4] == "+"])), {"by_strand": True}, FOUND[1], "box like box-",
    ),
    "a class without test windows": (
        lambda s: [(*one[:3], "rare" if one[0] == "1" and row % 3 == 0 else "box", one[4]) for row, one in enumerate(s)],
        {}, FOUND[0], "rare 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_labels_of_test_windows_are_looked_at(genome, tmp_path, name):
    fasta, segments = genome
    plant, settings, check, words = PLANTED[name]
    lines = ("\t".join(map(str, (*one[:4], 0, one[4]))) + "\n" for one in plant(segments))
    (tmp_path / "s.bed").write_text("".join(lines))
    task = BaseLabels(
        kind="base_labels", windows={"size": SIZE}, segments=str(tmp_path / "s.bed"), bootstrap=20, **settings
    )
    checks = examples(task, {"fasta": str(fasta)}, Division(SPLITS, SIZE)).checks.set_index("check")
    status = checks["status"].reindex(FOUND).dropna()
    assert status[status == "WARN"].index.tolist() == ([check] if check else [])
    assert check is None or words in checks.loc[check, "detail"]
