"""Kind `gene_completion`: scores by hand, what training holds, and baselines between nothing and the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.checks.examples_audit import audited
from glmflow.config.baselines.drawing_baselines import MarkovChain, NearestProtein, ShuffledProtein
from glmflow.config.simulation import Coding
from glmflow.config.tasks.gene_completion import GeneCompletion
from glmflow.corpus.corpus_build import build
from glmflow.dna.completed_genes import read_panel, score_bases, training_proteins
from glmflow.errors import InputError
from glmflow.simulate.coding_genome import simulate_coding
from glmflow.tasks.gene_completion import examples, score
from glmflow.tasks.tables import Division

pytest.importorskip("Bio.Align")
KEYS = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A genome of three families of genes, of which the last four are a panel, and a corpus that holds out its last third."""
    folder = tmp_path_factory.mktemp("panel")
    genome = Coding(contigs={"g": 30_000}, gene_bp=(390, 450), families=3, diverged=0.2, panel=4)
    simulate_coding(genome, folder / "g.fa", folder / "genes.csv")
    settings = {"sources": [{"path": str(folder / "g.fa"), "division": "made"}]}
    split = {"by": "position", "validation": 0, "test": 0.3, "max_shared": 0.9}
    build(settings | {"split": split}, folder / "corpus")
    task = GeneCompletion(kind="gene_completion", panel=str(folder / "genes.csv"), corpus="c", samples=3, bootstrap=50)
    files = {"panel": task.panel, "corpus": str(folder / "corpus/sequences.parquet")}
    return task, files, examples(task, files, Division())


def test_the_panel_is_read_as_it_was_made(made):
    task, _, found = made
    genes = read_panel(Path(task.panel))
    assert len(genes) == 4 and len(found.table) == 12 and found.table["example"].is_unique
    for gene in genes:
        assert gene.protein.startswith("M") and gene.protein.index("*") == len(gene.protein) - 1
        assert score_bases(gene, gene.genomic[gene.start + 3 * gene.given :])[:2] == (100.0, 100.0)
    assert found.table["sequence"].tolist()[::3] == [gene.prompt for gene in genes]
    held = found.facts["genes.tsv"].set_index("gene")["held"]
    assert held.between(0, 0.7).all()
    text = "".join(Path(task.panel).with_name("g.fa").read_text().splitlines()[1:])
    assert len(training_proteins([text])) >= 50  # of both strands: 30,000 bases hold about 60 genes


def test_genes_that_training_holds_are_said(made, tmp_path):
    task, files, _ = made
    text = "".join(Path(task.panel).with_name("g.fa").read_text().splitlines()[1:])
    inside = text[5000:6400]
    (tmp_path / "genes.csv").write_text(
        f"gene,organism,cds_start,reference_protein,genomic_sequence\nknown,made,200,{'M' * 400},{inside}\n"
    )
    found = examples(task, files | {"panel": str(tmp_path / "genes.csv")}, Division())
    assert found.facts["genes.tsv"]["held"].tolist() == [1.0]
    assert found.checks["status"].tolist() == ["WARN"]
    part = examples(task.model_copy(update={"most_training": 7000}), files, Division()).checks.set_index("check")
    row = part.loc["training bases that genes are not looked for in"]
    assert (row["found"], row["of"], row["status"], row["leak"]) == (14_000, 21_000, "WARN", "no")


def test_scores_by_hand(made):
    task, _, found = made
    strict = [10, 20, 30, 0, 0, 0, 50, 50, 50, 100, 100, 100]
    official = [20, np.nan, 40, np.nan, np.nan, np.nan, 50, 50, 50, 100, 100, 100]
    predictions = found.table[["example"]].assign(prediction=strict, official=official, aligned=1, equal=1)
    scored = score(KEYS | {"task": task.model_dump(mode="json")}, found.table, predictions, Path("none"), {})
    rows = scored.metrics.set_index(["metric", "track"])["value"]
    assert rows["strict", "mean"] == pytest.approx((20 + 0 + 50 + 100) / 4)
    assert rows["official", "mean"] == pytest.approx((30 + 50 + 100) / 3)  # the second gene has no score
    assert rows["unscored", "mean"] == pytest.approx(4 / 12)
    first = found.table["group"].iloc[0]
    assert rows["official", first] == pytest.approx(30) and rows["strict", first] == pytest.approx(20)
    assert scored.tables["genes.tsv"]["unscored"].tolist() == [1, 3, 0, 0]
    whole = scored.metrics.set_index(["metric", "track"]).loc[("strict", "mean")]
    assert 0 <= whole["ci_low"] < whole["value"] < whole["ci_high"] <= 100
    with pytest.raises(InputError, match="1 examples have no prediction"):
        score(KEYS | {"task": task.model_dump(mode="json")}, found.table, predictions[1:], Path("none"), {})


def test_baselines_stand_between_nothing_and_the_truth(made):
    task, files, found = made
    settings = KEYS | {"task": task.model_dump(mode="json")}
    blocks = (
        MarkovChain(kind="markov_chain"),
        NearestProtein(kind="nearest_protein"),
        ShuffledProtein(kind="shuffled_protein"),
    )
    means = {}
    for block in blocks:
        table = fit_of(task.kind, block.kind)(FittingData(block, settings, found.table, files))(Path("none"))
        assert table["example"].tolist() == found.table["example"].tolist()
        means[block.kind] = table["prediction"].mean()
    assert means["markov_chain"] < 20 < means["nearest_protein"] < 95
    assert means["nearest_protein"] > means["shuffled_protein"] + 10  # a relative knows more than composition
    alone = FittingData(blocks[0], settings, found.table, {"panel": task.panel})
    with pytest.raises(InputError, match="learns from a corpus"):
        fit_of(task.kind, "markov_chain")(alone)
    assert isinstance(
        fit_of(task.kind, "shuffled_protein")(alone._replace(baseline=blocks[2]))(Path("x")), pd.DataFrame
    )


def test_a_gene_that_training_holds_in_part_is_a_copy_and_scored_apart(made, tmp_path):
    task, files, _ = made
    text = "".join(Path(task.panel).with_name("g.fa").read_text().splitlines()[1:])
    known = bytearray(text[5000:6400].encode())
    known[700::40] = bytes(b"CAAA"[b"ACGT".index(base)] for base in known[700::40])  # 2.5 % of substitutions
    lines = Path(task.panel).read_text() + f"known,made,200,{'M' * 400},{known.decode()}\n"
    (tmp_path / "genes.csv").write_text(lines)
    found = examples(task, files | {"panel": str(tmp_path / "genes.csv")}, Division())
    given = task.model_copy(update={"panel": str(tmp_path / "genes.csv")})
    after, copies = audited(found, given, files | {"panel": given.panel})
    assert {"known_0", "known_1", "known_2"} <= set(copies["example"])
    clean = after.table.set_index("example")["no_near_copy"]
    assert not clean["known_0"] and clean.sum() == 12 - (len(copies) - 3)  # the others are of families, 20 % apart
    clean = (after.table["group"] != "known").to_numpy()
    after = after._replace(table=after.table.assign(no_near_copy=clean))
    strict = np.where(after.table["group"] == "known", 100.0, np.arange(len(clean)))
    predictions = after.table[["example"]].assign(prediction=strict, official=strict, aligned=1, equal=1)
    scored = score(KEYS | {"task": given.model_dump(mode="json")}, after.table, predictions, Path("none"), {})
    value = scored.metrics.set_index(["subset", "track", "metric"])["value"]
    assert value["no_near_copy", "mean", "strict"] == pytest.approx(strict[clean].mean())
    assert "test\tno_near_copy\tmean\t\tstrict" in scored.units
    silent, _ = audited(found, given, {"panel": given.panel})
    assert "no corpus is named" in silent.checks.set_index("check").loc["copies of training", "detail"]
