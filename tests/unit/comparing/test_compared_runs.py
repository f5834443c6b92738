"""From the scores of runs on disk to a verdict: who knows only the population, who knows genotypes, and the other kinds."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from glmflow.comparing.comparison import compare_runs
from glmflow.config.compared import compared_runs, control_in_words
from glmflow.config.study import Study
from glmflow.statistics.classification import class_scores
from glmflow.statistics.stored import load_scores, save_scores
from glmflow.tasks.comparable import cell, with_intervals
from glmflow.tasks.context_extension.losses_by_context import Cell, comparable_cells
from glmflow.tasks.labelled_units import comparable_scores as of_sequences
from glmflow.tasks.redraw import redrawn
from glmflow.tasks.rnaseq_tracks.base_scores import Coverage, score_bases
from glmflow.tasks.rnaseq_tracks.track_units import comparable_bases
from glmflow.tasks.snp2gex.gene_units import People, comparable_scores
from glmflow.tasks.tables import metrics_table
from scipy.ndimage import gaussian_filter1d

SAMPLES, GENES = 80, 60
GROUP = np.repeat(["north", "south"], SAMPLES // 2)


def run(label, role="model", control_of=None, **more):
    facts = {"folder": f"runs/{label}", "key": label, "label": label, "role": role, "control_of": control_of}
    return facts | {"seeded": role in ("model", "control"), "backbone": None, "random": False} | more


def judged(folder, runs, control=None):
    """Verdicts by key of runs `(facts, [scores of a seed, ...])`, through files."""
    facts, stored = [], []
    for number, (one, seeds) in enumerate(runs):
        for seed, scores in enumerate(seeds):
            path = folder / f"{number}.{seed}.npz"
            save_scores(scores, path)
            facts.append(one)
            stored.append(load_scores(path))
    found = compare_runs(facts, stored, control)
    return found, found.rows.set_index("key")


def of_genes(observed, predicted, split="test", known=True):
    """The scores of a run on samples x genes, as the kind of task stores them."""
    names = [f"S{n:03d}" for n in range(SAMPLES)]
    rows = pd.DataFrame(
        {
            "sample": np.repeat(names, GENES),
            "group": np.tile([f"G{n:02d}" for n in range(GENES)], SAMPLES),
            "target": observed.ravel(),
            "prediction": predicted.ravel(),
        }
    )
    loci = {name: place for place, name in enumerate(sorted(set(rows["group"])))}
    people = People(dict(zip(names, GROUP)) if known else {})
    found = comparable_scores(rows, loci, people, rows[["group"]].drop_duplicates(), 199)
    return {cell(metric, split, "unseen genes"): one for metric, one in found.items()}


@pytest.fixture
def cohort():
    """Ancestry is batch: expression shifts with it, shares a factor, and has a genetic part."""
    rng = np.random.default_rng(3)
    south = (GROUP == "south").astype(float)[:, None]
    genetic = rng.normal(size=(SAMPLES, GENES))
    observed = 0.5 * genetic + 1.2 * south + 0.5 * rng.normal(size=(SAMPLES, 1)) + rng.normal(size=(SAMPLES, GENES))
    return rng, south, genetic, observed


FLAT = np.ones((SAMPLES, GENES))


def test_a_copy_that_misleads_is_no_sign_of_swapped_labels(tmp_path):
    examples = pd.DataFrame({"example": [f"w{n}" for n in range(30)]})
    worse = np.random.default_rng(0).normal(-0.2, 0.05, 30)
    cells = [
        Cell("copy_advantage", "exact", 64, examples["example"].to_numpy(), np.stack([worse, np.ones(30)], axis=1))
    ]
    (one,) = comparable_cells(examples, cells).values()
    for score, swapped in ((one, False), (one._replace(facts={}), True)):
        found, _ = judged(tmp_path, [(run("model"), [{cell("copy_advantage", "test", "exact"): score}])])
        bad = found.warnings[found.warnings["status"] != "PASS"]["sentence"]
        assert bad.str.contains("the wrong sign").any() == swapped


def test_a_model_that_knows_only_the_population_is_not_said_to_be_better(cohort, tmp_path):
    rng, south, genetic, observed = cohort
    ancestry = np.repeat(south + 0.05 * rng.normal(size=(SAMPLES, 1)), GENES, axis=1)
    found, rows = judged(
        tmp_path,
        [
            (run("ancestry"), [of_genes(observed, ancestry)]),
            (run("genotypes"), [of_genes(observed, genetic + rng.normal(size=genetic.shape)) for _ in range(2)]),
            (run("elastic_net", "baseline"), [of_genes(observed, FLAT)]),
            (run("kmers", "baseline"), [of_genes(observed, rng.normal(size=observed.shape))]),
        ],
    )
    one = rows.loc["ancestry"]
    assert one["value"] > 0.3 and one["low"] > 0.2  # a high score, and an interval far above 0
    assert one["verdict"] not in ("beats", "above the null") and "what groups share" in one["reasons"]
    assert rows.loc["genotypes", "verdict"] == "beats" and rows.loc["genotypes", "against"] == "kmers"
    notes = list(found.notes["note"])
    assert any("Not counted as beaten" in note and "elastic_net" in note for note in notes)
    assert not any("No population is known" in note for note in notes)


def test_without_populations_the_null_is_said_to_know_no_structure(cohort, tmp_path):
    _, _, genetic, observed = cohort
    scores = of_genes(observed, genetic, known=False)
    found, _ = judged(tmp_path, [(run("genotypes"), [scores])])
    assert "No population is known: the null does not account for structure." in set(found.notes["note"])
    assert "No baseline was run, so what a simple method would reach is unknown." in set(found.notes["note"])


def test_a_model_has_to_lead_over_the_draws_of_its_control_where_the_targets_are_the_same(cohort, tmp_path):
    rng, _, genetic, observed = cohort
    chance = [rng.normal(size=observed.shape) for _ in range(10)]
    kmers = rng.normal(size=observed.shape)
    other = observed[::-1]  # validation targets of the control are permuted: nothing to hold a model against
    runs = [
        (run("model"), [of_genes(observed, genetic) | of_genes(observed, genetic, "validation")]),
        (run("kmers", "baseline"), [of_genes(observed, kmers) | of_genes(observed, kmers, "validation")]),
        (
            run("control", "control", "model") | {"label": "model on permuted"},
            [of_genes(observed, one) | of_genes(other, one, "validation") for one in chance],
        ),
    ]
    found, _ = judged(tmp_path, runs)
    test, validation = (found.rows[found.rows["split"] == name].set_index("key") for name in ("test", "validation"))
    assert test.loc["model", "against"] == "kmers and model on permuted" and test.loc["control", "seeds"] == 10
    assert "control" not in validation.index and validation.loc["model", "verdict"] == "beats"
    assert any("10 draws" in note for note in found.notes["note"])
    strong = [
        (facts, [of_genes(observed, genetic)] * 10 if facts["role"] == "control" else seeds) for facts, seeds in runs
    ]
    assert judged(tmp_path, strong)[0].rows.set_index(["key", "split"]).loc[("model", "test"), "verdict"] != "beats"


@pytest.mark.parametrize(("predicts", "status"), [("chance", "PASS"), ("genotypes", "WARN")])
def test_a_control_has_to_be_at_chance(cohort, tmp_path, predicts, status):
    rng, _, genetic, observed = cohort
    guesses = [genetic if predicts == "genotypes" else rng.normal(size=observed.shape) for _ in range(10)]
    weak = of_genes(observed, rng.normal(size=observed.shape))
    runs = [(run("model"), [of_genes(observed, guess) for guess in guesses]), (run("rival", "baseline"), [weak])]
    found, rows = judged(tmp_path, runs, "permuted people")
    (audit,) = found.warnings.to_dict("records")
    assert audit["status"] == status and "over 10 draws" in audit["sentence"]
    # whatever it scores, a control beats nothing: it is what other models are held against
    assert rows.loc["model", "verdict"] == "control" and rows.loc["model", "against"] == ""
    assert not rows["leads"].any() and rows.loc["rival", "verdict"] == ""
    if predicts == "genotypes":
        assert judged(tmp_path, runs)[1].loc["model", "verdict"] == "beats"


def test_a_run_against_other_targets_is_not_compared_and_that_is_said(cohort, tmp_path):
    _, _, genetic, observed = cohort
    same, other = of_genes(observed, genetic), of_genes(observed + 1, genetic)
    found, rows = judged(tmp_path, [(run("a"), [same]), (run("b"), [other]), (run("c", "baseline"), [same])])
    assert set(rows.index) == {"a", "c"}
    assert "Not compared, for scored on other examples or against other targets: b." in set(found.notes["note"])


def test_seeds_that_disagree_are_no_lead(cohort, tmp_path):
    rng, _, genetic, observed = cohort
    rival = 0.5 * genetic + rng.normal(size=genetic.shape)
    good, bad = (of_genes(observed, guess) for guess in (genetic, rng.normal(size=genetic.shape)))
    _, rows = judged(
        tmp_path,
        [(run("model"), [good, good, bad, good]), (run("rival", "baseline"), [of_genes(observed, rival)])],
    )
    assert rows.loc["model", "value"] > rows.loc["rival", "value"]
    assert rows.loc["model", "verdict"] != "beats" and "1 of 4 are not ahead of rival" in rows.loc["model", "reasons"]


def classes_of(truth, strength, groups, rng):
    """Probabilities of two classes that lean to the truth; rows of a group lean alike."""
    lean = rng.normal(size=groups.max() + 1)[groups] + strength * (2 * truth - 1)
    shares = 1 / (1 + np.exp(-lean))
    return np.stack([1 - shares, shares], axis=1)


def of_classes(truth, scores, groups):
    part = pd.DataFrame({"example": [f"r{n}" for n in range(len(truth))], "group": groups})
    return {cell(name, "test"): one for name, one in of_sequences(part, truth, scores, class_scores).items()}


def test_swapped_labels_are_named_and_a_rare_guess_is_not(tmp_path):
    rng = np.random.default_rng(0)
    truth, groups = rng.permutation(np.repeat([0, 1], [340, 60])), np.arange(400)
    rare = np.stack([np.full(400, 0.4), 0.6 + 1e-3 * rng.random(400)], axis=1)  # nearly always names the rarer class
    for scores, swapped in ((rare, False), (classes_of(1 - truth, 2.0, groups, rng), True)):
        found, _ = judged(tmp_path, [(run("model"), [of_classes(truth, scores, groups)])])
        bad = found.warnings[found.warnings["status"] != "PASS"]["sentence"]
        assert bad.str.contains("the wrong sign").any() == swapped


def test_sequences_are_judged_over_groups_of_near_copies(tmp_path):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(150), 4)
    truth = rng.integers(0, 2, 150)[groups]
    known = partial(of_classes, truth, groups=groups)
    _, rows = judged(
        tmp_path,
        [
            (run("model"), [known(classes_of(truth, 1.2, groups, rng)) for _ in range(2)]),
            (run("nothing"), [known(classes_of(truth, 0.0, groups, rng))]),
            (run("kmers", "baseline"), [known(classes_of(truth, 0.4, groups, rng))]),
            (run("majority", "baseline"), [known(np.full((600, 2), 0.5))]),
        ],
    )
    mcc = rows[rows["metric"] == "mcc"]
    assert mcc.loc["model", "verdict"] == "beats" and mcc.loc["model", "against"] == "kmers"
    assert mcc.loc["nothing", "verdict"] in ("behind", "not clearly ahead")
    assert rows[rows["metric"] == "auroc"].loc["model", "verdict"] == "beats"
    singly = known(classes_of(truth, 1.2, groups, rng))[cell("mcc", "test")].score
    assert len(singly.influence) == 150  # groups, not rows


def test_tracks_are_judged_over_blocks_and_their_metrics_have_the_same_intervals(tmp_path):
    rng = np.random.default_rng(1)
    tiles = pd.DataFrame({"chrom": "chr1", "start": np.arange(100) * 1000, "end": np.arange(1, 101) * 1000})
    block = np.arange(100) // 5

    def signal():
        both = np.exp(gaussian_filter1d(rng.normal(size=(2, 100_000)), 200) * 20)
        return both.reshape(2, 100, 1000).transpose(1, 0, 2).astype(np.float32)

    truth, noise = signal(), [signal() for _ in range(3)]
    guesses = {"model": truth * np.sqrt(noise[0]), "nothing": noise[1], "kmers": noise[2], "mean": np.ones_like(truth)}
    guesses["mean"][:, 1] = 2  # one value for everything of a track, another for the other
    runs, metrics = [], None
    for name, guess in guesses.items():
        rows, scores = score_bases(Coverage(tiles, list(truth), list(guess)), ["a", "b"], 10, block)
        role = "model" if name in ("model", "nothing") else "baseline"
        runs.append((run(name, role), [comparable_bases(scores, "units", "test", "all", 1000)]))
        if name == "model":
            keys = dict.fromkeys(("study", "task", "model", "adaptation", "seed"), "x")
            metrics = metrics_table([row | {"split": "test"} for row in rows], **keys, context_bp=1000)
    _, found = judged(tmp_path, runs)
    rows = found[found["metric"] == "base_log1p_pearson"]
    assert rows.loc["model", "verdict"] == "beats" and rows.loc["model", "against"] == "kmers"  # the mean cannot play
    assert rows.loc["nothing", "verdict"] not in ("beats", "above the null")
    again = with_intervals(metrics, runs[0][1][0])
    own = again[(again["metric"] == "base_log1p_pearson") & (again["track"] == "mean")].iloc[0]
    assert (own["ci_low"], own["ci_high"]) == pytest.approx(tuple(rows.loc["model", ["low", "high"]]), rel=1e-4)


STUDY = {
    "study": "s",
    "simulate": {"cohort": {"seed": 1, "contigs": {"chr1": 60000, "chr2": 20000, "chr3": 30000}}},
    "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
    "tasks": {
        "gex": {"kind": "snp2gex", "windows": {"size": 600}},
        "permuted": {"kind": "snp2gex", "windows": {"size": 600}, "control": "permuted_people"},
        "other": {"kind": "snp2gex", "windows": {"size": 700}, "control": "permuted_people"},
    },
    "models": {
        "causal": {"pretrain": {"family": "small"}},
        "untrained": {"new": {"family": "small"}},
        "cnn": {"new": {"family": "promoter_cnn"}},
        "population_mean": {"baseline": "population_mean"},
        "elastic_net": {"baseline": "elastic_net"},
    },
    "adaptations": {"full": {"kind": "full"}, "baseline": {"kind": "baseline"}},
    "runs": [
        {"tasks": ["gex"], "models": ["causal", "untrained", "cnn"], "adaptations": ["full"]},
        {"tasks": ["gex", "permuted"], "models": ["population_mean", "elastic_net"], "adaptations": ["baseline"]},
        {"tasks": ["permuted", "other"], "models": ["cnn"], "adaptations": ["full"]},
    ],
}


def test_what_each_run_is_follows_from_the_study():
    study = Study.model_validate(STUDY)
    runs = compared_runs(study, "gex")
    by_key = {one["key"]: one for one in runs}
    assert by_key["gex/causal/full"]["role"] == "model" and not by_key["gex/causal/full"]["random"]
    assert by_key["gex/causal/full"]["backbone"] == by_key["gex/untrained/full"]["backbone"] == "causal"
    assert by_key["gex/untrained/full"]["random"] and by_key["gex/cnn/full"]["backbone"] == "cnn"
    assert by_key["gex/population_mean/baseline"]["role"] == "structure"
    assert by_key["gex/elastic_net/baseline"]["role"] == "baseline"
    controls = [one for one in runs if one["role"] == "control"]
    assert {one["control_of"] for one in controls} == {"gex/cnn/full"} and len(controls) == 10
    assert {one["label"] for one in controls} == {"cnn (full) on permuted"}
    assert (
        control_in_words(study.tasks["permuted"]) == "permuted people" and control_in_words(study.tasks["gex"]) is None
    )


def test_each_seed_draws_a_control_again_and_leaves_the_test_rows_alone():
    names = [f"S{n}" for n in range(30)]
    table = pd.DataFrame({"sample": names, "group": "g", "target": np.arange(30.0), "example": names})
    table["split"] = np.repeat(["train", "validation", "test"], [16, 6, 8])
    task = {"kind": "snp2gex", "windows": {"size": 600}, "control": "permuted_people"}
    one, again, other = (redrawn({"task": task, "seed": seed}, table)["target"].to_numpy() for seed in (1, 1, 2))
    assert (one == again).all() and (one != other)[:16].any()
    assert (one[22:] == np.arange(22.0, 30)).all() and sorted(one[:16]) == list(range(16))
    plain = redrawn({"task": {**task, "control": "none"}, "seed": 1}, table)
    assert (plain["target"] == table["target"]).all()


def test_each_seed_draws_the_labels_of_sequences_again():
    table = pd.DataFrame({"target": list("abababababab"), "split": ["train"] * 6 + ["test"] * 6})
    task = {"kind": "sequences", "table": "x.csv", "control": "permuted_labels"}
    drawn = [redrawn({"task": task, "seed": seed}, table)["target"].tolist() for seed in range(8)]
    assert len({tuple(one[:6]) for one in drawn}) > 2 and all(one[6:] == list("ababab") for one in drawn)


def test_a_study_passes_to_jobs_as_plain_data():
    study = Study.model_validate(STUDY)
    again = Study.model_validate(study.model_dump(mode="json", by_alias=True))  # as the rule `report` does
    assert again.tasks == study.tasks and again.expanded == study.expanded


def test_every_metric_with_bounds_is_looked_at_and_of_the_same_runs_nothing_is_said_twice(tmp_path):
    labels, groups = np.tile([0, 1], 30), np.arange(60)
    part = pd.DataFrame({"example": [f"s{n}" for n in range(60)], "group": groups})
    right = np.stack([1 - labels, labels], axis=1).astype(float)
    half = 0.5 * right + 0.25  # every one is ranked right, and the classes too
    # Ranked the wrong way round but for four, and one class called.
    turned = np.stack([0.5 + 0.01 * labels, 0.5 - 0.01 * labels], axis=1)
    turned[:4] = turned[:4, ::-1]
    scores = {
        name: {cell(metric, "test"): one for metric, one in of_sequences(part, labels, own, class_scores).items()}
        for name, own in (("right", half), ("turned", turned))
    }
    assert len({name.split("\t")[-1] for name in scores["right"]}) > 1
    found, _ = judged(tmp_path, [(run(name), [own]) for name, own in scores.items()])
    warned = found.warnings[found.warnings["status"] != "PASS"]
    of_one = warned[warned["name"] == "a score of 1"]
    assert len(of_one) == 1 and of_one["sentence"].iloc[0].endswith("right")
    wrong = warned[(warned["name"] == "a negative sign") & warned["sentence"].str.endswith("turned")]
    assert len(wrong) == 1
    # The first metric alone does not see it, where that is called by the likeliest class.
    second = {name: own for name, own in scores["turned"].items() if not name.endswith("mcc")}
    first = next(name for name in scores["turned"] if name.endswith("mcc"))
    plain = scores["turned"][first]._replace(score=scores["turned"][first].score._replace(value=0.0))
    found, _ = judged(tmp_path, [(run("turned"), [{first: plain} | second])])
    (audit,) = found.warnings[
        found.warnings["name"].eq("a negative sign") & found.warnings["status"].eq("WARN")
    ].to_dict("records")
    assert audit["where"].endswith("auroc")


def test_where_no_baseline_knows_populations_alone_the_verdict_says_so(cohort, tmp_path):
    rng, south, genetic, observed = cohort
    scores = of_genes(observed, genetic)
    alone = of_genes(observed, np.repeat(south, GENES, axis=1) + 1e-3 * rng.normal(size=observed.shape))
    without, _ = judged(tmp_path, [(run("genotypes"), [scores])])
    beside, _ = judged(tmp_path, [(run("genotypes"), [scores]), (run("population_mean", "structure"), [alone])])
    said = "No baseline that knows populations alone was run"
    assert any(note.startswith(said) for note in without.notes["note"])
    assert not any(note.startswith(said) for note in beside.notes["note"])
