"""The examples of every kind are audited by one rule, and what stops a study is its own choice."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.examples_audit import audited, require_audits
from glmflow.config.task_block import TaskBlock
from glmflow.errors import InputError
from glmflow.genome.canonical import opposite_strand
from glmflow.tasks.tables import Checks, Made, clean_part, counts_table, examples_table

BASES = np.frombuffer(b"ACGT", np.uint8)


class Windows(TaskBlock):
    """A kind without a module of its own."""

    kind: str = "context_extension_like"
    length: int = 3_000

    @property
    def window_bp(self):
        return self.length


def written(tmp_path, contigs):
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{bases.tobytes().decode()}\n" for name, bases in contigs.items()))
    return {"fasta": str(path)}


def cells(rows):
    """Genes in samples: gene, its window, and the split of each of two samples."""
    table = pd.DataFrame(
        [
            (f"{gene}|{sample}", chrom, start, start + 3_000, sample, gene, split)
            for gene, chrom, start, splits in rows
            for sample, split in zip("xy", splits)
        ],
        columns=["example", "chrom", "start", "end", "sample", "group", "split"],
    )
    return Made(examples_table(table), counts_table({}), Checks().table())


@pytest.fixture(autouse=True)
def no_module(monkeypatch):
    """The kind of these tests has no module among the tasks."""
    import glmflow.checks.examples_audit as module

    monkeypatch.setattr(module, "module", lambda *names: object())


@pytest.mark.parametrize("planted", [False, True])
def test_a_gene_that_is_a_copy_on_another_contig_is_named_and_left_out_of_the_clean_part(tmp_path, planted):
    rng = np.random.default_rng(3)
    contigs = {name: rng.choice(BASES, 20_000) for name in ("7", "19")}
    if planted:
        contigs["19"][12_400:14_900] = opposite_strand(contigs["7"][1_150:3_650])
    made = cells(
        [
            ("seen", "7", 1_000, ("train", "test")),
            ("other", "7", 9_000, ("train", "test")),
            ("copied", "19", 12_000, ("test", "test")),
            ("unseen", "19", 2_000, ("test", "test")),
            ("unseen2", "19", 6_000, ("test", "test")),
        ]
    )
    found, copies = audited(made, Windows(), written(tmp_path, contigs))
    assert list(copies["start"]) == ([12_000] if planted else [])
    assert (found.checks["status"] == "FAIL").sum() == planted
    if not planted:
        assert "no_near_copy" not in found.table and (found.checks["status"] == "PASS").all()
        return
    held_out = found.table[found.table["no_near_copy"]]
    # Samples that are tested on genes of training are another question: their windows are those of training.
    assert set(held_out["group"]) == {"unseen", "unseen2"} and set(held_out["split"]) == {"test"}
    assert set(clean_part(found.table, "group")["group"]) == {"unseen", "unseen2"}
    assert "19:12000-15000 (7:" in found.checks.set_index("check").loc["copies of training windows: test", "detail"]


def test_alleles_are_compared_by_the_windows_that_a_model_reads(tmp_path):
    rng = np.random.default_rng(4)
    contigs = {name: rng.choice(BASES, 20_000) for name in ("7", "19")}
    contigs["19"][4_000:7_000] = contigs["7"][8_000:11_000]
    table = pd.DataFrame(
        {
            "example": ["a", "b", "c"],
            "chrom": ["7", "19", "19"],
            "start": [9_500, 5_480, 15_000],
            "end": [9_501, 5_481, 15_001],
            "split": ["train", "test", "test"],
        }
    )
    made = Made(examples_table(table), counts_table({}), Checks().table())
    found, copies = audited(made, Windows(), written(tmp_path, contigs))
    assert len(copies) == 1 and found.table["no_near_copy"].tolist() == [False, False, True]


@pytest.mark.parametrize(("status", "stops"), [("FAIL", {"leak", "warning"}), ("WARN", {"warning"}), ("PASS", set())])
def test_what_stops_a_study_is_its_own_choice(status, stops):
    checks = Checks()
    checks.add("something", 3, 10, "three of ten", status=status, leak=status == "FAIL")
    checks.add("nothing", 0, 10)
    for fail_on in ("never", "leak", "warning"):
        if fail_on in stops:
            with pytest.raises(InputError, match="three of ten"):
                require_audits(checks.table(), fail_on, "rnaseq")
        else:
            assert len(require_audits(checks.table(), fail_on, "rnaseq")) == (status != "PASS")
