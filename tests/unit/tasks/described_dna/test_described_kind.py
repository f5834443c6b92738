"""Kind `described_dna`: known costs give known bits, planted relatives are named, counts by tags know what tags tell, mistakes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import fit_of
from glmflow.baselines.fitting_data import FittingData
from glmflow.checks.examples_audit import audited
from glmflow.checks.study_files import check_inputs
from glmflow.config import ConfigurationError, check_study
from glmflow.config.baselines.described_baselines import TagCounts
from glmflow.config.baselines.language_baselines import ContextMixture, FixedOrder
from glmflow.config.simulation import AnnotatedGenomes
from glmflow.config.tasks.described_dna import DescribedDna
from glmflow.corpus.pair_writing import write_pairs
from glmflow.corpus.text_controls import TEXTS, costs_behind_texts
from glmflow.errors import InputError
from glmflow.simulate.annotated_genomes import PRODUCTS, simulate_annotated
from glmflow.statistics.saved_bits import rank_of_first
from glmflow.tasks.described_dna import examples, score
from glmflow.tasks.tables import Division

KEYS = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
GENOMES = {
    "organisms": 2,
    "products": 3,
    "genes": 120,
    "gene_bp": (150, 300),
    "diverged": 0.05,
    "validation": 0.1,
    "test": 0.3,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Pairs of two simulated genomes, and their examples."""
    folder = tmp_path_factory.mktemp("described")
    genomes = AnnotatedGenomes(**GENOMES)
    simulate_annotated(genomes, folder / "a.gbk", folder / "a.fa")
    write_pairs([folder / "a.gbk"], folder / "pairs.jsonl", genomes.validation, genomes.test)
    task = DescribedDna(kind="described_dna", pairs=str(folder / "pairs.jsonl"), bases=120, candidates=4, bootstrap=50)
    files = {"pairs": task.pairs}
    return task, files, examples(task, files, Division())


def scored(task, table, predictions):
    settings = KEYS | {"task": task.model_dump(mode="json")}
    return score(settings, table, predictions, Path("none"), {})


def test_examples_are_held_out_features_with_their_splits_and_texts(made):
    task, files, found = made
    lines = {(line["id"], line["order"]): line for line in map(json.loads, Path(task.pairs).read_text().splitlines())}
    for row in found.table.to_dict("records"):
        line = lines[row["example"], "text_to_dna"]
        assert (row["split"], row["sequence"]) == (line["split"], line["target"][:120])
        assert line["tags"]["product"] in row["text"] and "product" not in row["text_organism"]
        assert line["tags"]["species"] in row["text_other"]  # another one of the same organism
    assert set(found.table["split"]) == {"test", "validation"}
    assert found.checks["status"].tolist() == ["PASS"] * 3 and not found.checks["found"].any()
    asked = found.table[found.table["among"].notna()]
    assert len(asked) == 50 and set(asked["split"]) == {"test"}
    assert found.facts["features.tsv"]["features"].sum() == len(lines) / 2
    again, copies = audited(found, task, files)
    assert copies.empty and len(again.table) == len(found.table)


def test_known_probabilities_give_known_bits(made):
    task, _, found = made
    shares = {"": 0.25, "text": 0.5, "text_organism": 0.25, "text_shuffled": 0.4, "text_other": 0.3}
    numbers = range(len(found.table))
    table = found.table.assign(**{name: [f"{name} {n}" for n in numbers] for name in shares if name})
    table = table.assign(
        sequence=[str(n).zfill(100 + n) for n in numbers]
    )  # lengths of all kinds; costs are by length alone
    share_of = {f"{name} {n}" if name else "": share for name, share in shares.items() for n in numbers}
    own = dict(zip(table["sequence"], table["text"]))

    def costs(asked):
        share = [0.3 if text.startswith("text ") and text != own[dna] else share_of[text] for text, dna in asked]
        return np.array([-len(dna) * np.log(one) for one, (_, dna) in zip(share, asked)])

    predictions = costs_behind_texts(table, costs)
    result = scored(task, table, predictions)
    rows = result.metrics[(result.metrics["split"] == "test") & (result.metrics["subset"] == "all")].set_index("metric")
    expected = {"bits_none": 2, "bits_own": 1, "saved_own": 1, "saved_organism": 0, "beyond_organism": 1}
    expected |= {"beyond_other": np.log2(0.5 / 0.3), "beyond_shuffled": np.log2(0.5 / 0.4), "rank": 1, "first": 1}
    assert {name: rows.loc[name, "value"] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert rows.loc["bits_own", "n"] == found.table[found.table["split"] == "test"]["group"].nunique()
    with pytest.raises(InputError, match="1 examples have no prediction"):
        scored(task, table, predictions[1:])


@pytest.mark.parametrize(
    ("nats", "rank", "first"),
    [([1, 2, 3], 1, 1), ([2, 1, 3], 2, 0), ([1, 1, 1, 1], 2.5, 0.25), ([2, 1, 2], 2.5, 0), ([1, 1, 2], 1.5, 0.5)],
)
def test_ranks_by_hand(nats, rank, first):
    assert rank_of_first(nats) == (rank, first)


def test_intervals_are_over_clusters_and_not_over_their_members(made):
    task, _, _ = made
    rng = np.random.default_rng(1)
    saved = np.repeat(rng.normal(10, 5, 12), 10)  # twelve clusters, whose ten members are all alike
    table = pd.DataFrame({"example": [f"e{n}" for n in range(120)], "split": "test", "subset": "CDS"})
    costs = {f"prediction_{key}": 100.0 for key in TEXTS} | {
        "bases": 50,
        "rank": np.nan,
        "first": np.nan,
        "candidates": np.nan,
    }
    predictions = table[["example"]].assign(**costs).assign(prediction_own=100 - saved)
    widths = {}
    for name, group in {"clusters": np.repeat(np.arange(12), 10), "members": np.arange(120)}.items():
        found = scored(task, table.assign(group=group.astype(str)), predictions).metrics.set_index("metric")
        row = found.loc["beyond_other"]
        assert row["value"] == pytest.approx(saved.mean() / 50 / np.log(2))
        widths[name] = row["ci_high"] - row["ci_low"]
    assert widths["clusters"] > 2.5 * widths["members"]  # sqrt(10), and the t distribution of eleven


def rewritten(made, folder, change):
    """Write the pairs with lines changed, and return task and files of them."""
    task, _, _ = made
    lines = [json.loads(line) for line in Path(task.pairs).read_text().splitlines()]
    (folder / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in change(lines)))
    task = task.model_copy(update={"pairs": str(folder / "p.jsonl")})
    return task, {"pairs": task.pairs}


def test_planted_leaks_are_named(made, tmp_path):
    tested = {}

    def planted(lines):
        first = next(line for line in lines if line["split"] == "test" and line["order"] == "text_to_dna")
        tested.update(first)
        recoded = list(first["target"])
        recoded[2::3] = [{"T": "C", "C": "T"}.get(base, base) for base in recoded[2::3]]  # the same protein
        twin = first | {"split": "train", "id": "twin", "cluster": -1, "target": "".join(recoded)}
        return [*lines, twin]

    task, files = rewritten(made, tmp_path, planted)
    checks = examples(task, files, Division()).checks.set_index("check")
    assert checks.loc["held-out features of a training cluster", "found"] == 0
    assert checks.loc["held-out features with the DNA of a training one", "found"] == 0
    alike = checks.loc["held-out features alike to training ones"]
    assert alike["status"] == "FAIL" and alike["found"] >= 1

    def by_file(lines):
        cluster = next(line["cluster"] for line in lines if line["split"] == "train")
        return [line | ({"cluster": cluster} if line["id"] == tested["id"] else {}) for line in lines]

    task, files = rewritten(made, tmp_path, by_file)
    checks = examples(task, files, Division()).checks.set_index("check")
    assert checks.loc["held-out features of a training cluster", ["found", "status"]].tolist() == [1, "FAIL"]


def test_what_models_learned_from_in_another_file_is_compared(made, tmp_path):
    task, files, found = made
    first = found.table[found.table["split"] == "test"].iloc[0]
    lines = [json.loads(line) for line in Path(task.pairs).read_text().splitlines()]
    other = [line | {"split": "train"} for line in lines if line["id"] == first["example"]]
    (tmp_path / "other.jsonl").write_text("".join(json.dumps(line) + "\n" for line in other))
    files = files | {"learned": [str(tmp_path / "other.jsonl")]}
    made_again = examples(task, files, Division())
    checks = made_again.checks.set_index("check")
    assert checks.loc["held-out features with the DNA of a training one", "found"] == 1
    _, copies = audited(made_again, task, files)
    assert first["example"] in set(copies["example"])


def test_counts_by_tags_save_what_tags_tell_and_what_sees_no_text_saves_nothing(made):
    task, files, found = made
    settings = KEYS | {"task": task.model_dump(mode="json")}
    blocks = {
        "product": TagCounts(kind="tag_counts", order=2, tags=["species", "product"]),
        "organism": TagCounts(kind="tag_counts", order=2, tags=["species"]),
        "order": FixedOrder(kind="fixed_order", order=2, reverse_complement=False),
        "mixture": ContextMixture(kind="context_mixture", orders=[1, 2, 3]),
    }
    value = {}
    for name, block in blocks.items():
        table = fit_of(task.kind, block.kind)(FittingData(block, settings, found.table, files))(Path("none"))
        result = scored(task, found.table, table)
        rows = result.metrics[(result.metrics["split"] == "test") & (result.metrics["subset"] == "all")]
        value[name] = rows.set_index("metric")[["value", "ci_low", "n"]]
        assert result.units["test\tall\tall\t\tbeyond_other"].score.plays == (name == "product")
    assert value["product"].loc["beyond_other", "ci_low"] > 0 and value["product"].loc["beyond_organism", "ci_low"] > 0
    assert value["organism"].loc["saved_own", "ci_low"] > 0
    assert value["organism"].loc[["beyond_organism", "beyond_other", "beyond_shuffled"], "value"].tolist() == [0, 0, 0]
    for blind in ("order", "mixture"):
        assert value[blind].loc[["saved_own", "beyond_other"], "value"].tolist() == [0, 0]
        assert value[blind].loc[["rank", "first"], "value"].tolist() == [2.5, 0.25]  # all tie: chance
    assert value["product"].loc["rank", "value"] < 2.5
    starts = value["order"].loc["bits_own", "value"] - value["organism"].loc["bits_none", "value"]
    assert 0 < starts < 6 / 60  # the same counts, and ATG that features begin with: six bits of a hundred bases or so


def test_a_text_of_unknown_tags_is_predicted_by_what_is_known():
    from glmflow.baselines.described_dna import CountsByTags, codes_of

    features = [({"a": "x", "b": "y"}, codes_of("AAAA")), ({"a": "z"}, codes_of("CCCC"))]
    counts = CountsByTags(features, ["a", "b"], 0, 4.0)
    by_hand = {
        (): np.array([5, 5, 1, 1]) / 12,
    }
    by_hand["x",] = (np.array([4, 0, 0, 0]) + 4 * by_hand[()]) / 8
    by_hand["x", "y"] = (np.array([4, 0, 0, 0]) + 4 * by_hand["x",]) / 8
    for tags, path in [
        ({}, ()),
        ({"a": "new"}, ()),
        ({"b": "y"}, ()),
        ({"a": "x", "b": "new"}, ("x",)),
        ({"a": "x", "b": "y"}, ("x", "y")),
    ]:
        assert counts.nats(tags, codes_of("AC")) == pytest.approx(-np.log(by_hand[path][[0, 1]]).sum())


def test_products_prefer_their_amino_acids_and_genomes_are_the_same_bytes(tmp_path):
    for name in "ab":
        simulate_annotated(AnnotatedGenomes(**GENOMES), tmp_path / f"{name}.gbk", tmp_path / f"{name}.fa")
    text = (tmp_path / "a.gbk").read_text()
    assert text == (tmp_path / "b.gbk").read_text() and text.count("     CDS ") == 240
    assert {name for name in PRODUCTS if f'"{name}"' in text} == set(PRODUCTS[:3])
    none = AnnotatedGenomes(**GENOMES | {"product_log_sd": 0})
    from glmflow.simulate.annotated_genomes import product_preferences

    assert (product_preferences(none) == 1).all()


STUDY = {
    "study": "s",
    "tasks": {"t": {"kind": "described_dna", "pairs": "p.jsonl", "bases": 50}},
    "models": {"m": {"pretrain": {"pairs": "p.jsonl", "family": "small", "config": {"causal": True}, "length": 128}}},
    "adaptations": {"a": {"kind": "zero-shot"}},
    "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 64}, "'m' has room for 30 bases behind a text (`length: 64`); take 30 at most"),
        ({"pairs": None, "corpus": "c"}, "'m' was pretrained without `pairs` and reads no text; leave its runs out"),
    ],
)
def test_models_that_read_too_little_are_named_before_any_job(change, message):
    corpora = {"c": {"sources": [{"path": "x.fa"}]}}
    pretrain = STUDY["models"]["m"]["pretrain"] | change
    check_study(STUDY)
    with pytest.raises(ConfigurationError) as error:
        check_study(STUDY | {"corpora": corpora, "models": {"m": {"pretrain": pretrain}}})
    assert message in str(error.value) and len(str(error.value).splitlines()) == 1


def feature(number, split):
    tags = {"species": "M", "product": f"p{number}"}
    return {"id": f"f{number}", "type": "CDS", "split": split, "cluster": number, "tags": tags} | {
        "order": "text_to_dna",
        "prompt": "",
        "target": "ACGT" * 10,
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([feature(0, "train")], "p.jsonl: no pair of split test from text to DNA"),
        ([feature(0, "test"), feature(0, "test")], "p.jsonl: all pairs of split test are of one cluster"),
        ([feature(0, "test"), "{"], "p.jsonl:2: no pair with order, split, prompt, target"),
        ([{**feature(0, "test"), "tags": None}], "p.jsonl: a pair of split test without id, cluster or tags"),
    ],
)
def test_a_bad_file_of_pairs_is_one_line_before_any_job(tmp_path, monkeypatch, lines, message):
    monkeypatch.chdir(tmp_path)
    Path("p.jsonl").write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    with pytest.raises(ConfigurationError) as error:
        check_inputs(check_study(STUDY))
    assert message in str(error.value) and len(str(error.value).splitlines()) == 1
