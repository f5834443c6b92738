"""A made-up study of questions about alleles, from a table to its report; models are stood in for."""

import json

import numpy as np
import pandas as pd
from glmflow import tasks
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.config import check_study, expand_runs, run_settings, score_settings
from glmflow.config.settings import task_settings
from glmflow.config.tasks import task_block
from glmflow.files import write_table
from glmflow.modules import module
from glmflow.provenance import write_run
from glmflow.tasks.tables import Division
from shared_reports import report_of

QUESTION = (
    "Chromosome Number: {chrom}\nNetwork Definition of the pathway: {gene}* -> X\nGenes in the pathway: {gene}; name | X; other\n\n"
    "Given this context, what is the biological effect of this {gene} allele, specifically what disease does this contribute to?"
)
ARMS = {"reads": "variant used", "locus": "variant unread", "blind": "text alone"}
"""Adaptations that are stood in for, and what their answers rest on."""


def write_questions(folder):
    """Write questions of six genes, each with its disease; the two halves share genes."""
    generator = np.random.default_rng(0)
    windows = ["".join(generator.choice(list("ACGT"), 60)) for _ in range(6)]
    for name in ("train", "test"):
        rows = []
        for number in range(48):
            gene = number % 6
            ref = windows[gene]
            alt = ref[:30] + next(base for base in "ACGT" if base != ref[30]) + ref[31:]
            sick = number % 4 < 2
            rows.append({
                "question": QUESTION.format(chrom=gene + 1, gene=f"GENE{gene}"),
                "answer": f"disease {gene % 3}" if sick else "no disease",
                "reasoning": "Step 1: The C>A at position 7.",
                "reference_sequence": ref,
                "variant_sequence": alt,
            })  # fmt: skip
        (folder / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def study_of(folder):
    head = {"kind": "text_answers", "hidden": 16, "layers": 1, "heads": 2}
    return check_study({
        "study": "questions",
        "tasks": {"pathways": {
            "kind": "diagnosis", "layout": "kegg", "flank": 20, "bootstrap": 100,
            "table": {name: str(folder / f"{name}.json") for name in ("train", "test")},
            "splits": {"by": "official", "validation": 0.25},
        }},
        "models": {"cnn": {"new": {"family": "promoter_cnn"}}, "gene": {"baseline": "answer_lookup"}, "majority": {"baseline": "majority"}},
        "adaptations": {**{name: {"kind": "full", "head": head} for name in ARMS}, "baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["pathways"], "models": ["cnn"], "adaptations": list(ARMS)},
                 {"tasks": ["pathways"], "models": ["gene", "majority"], "adaptations": ["baseline"]}],
    })  # fmt: skip


def stand_in(place, table, classes, arm):
    """Write the answers of a run that reads what its name says: as it is, and with other alleles."""
    held_out = table[table["split"] != "train"].reset_index(drop=True)
    unchanged = classes.index("no disease")
    truth = held_out["target"].map(classes.index).to_numpy()
    other = np.roll(truth, 1)
    said = {"as_is": truth, "others": truth if arm == "blind" else other, "shuffled": other}
    said["ref_as_alt"] = np.full(len(truth), unchanged) if arm == "reads" else truth
    answers = {name: 0.8 * np.eye(len(classes))[own] + 0.2 / len(classes) for name, own in said.items()}
    columns = [f"prediction_{name}" for name in classes]
    found = pd.concat([held_out[["example"]], pd.DataFrame(answers["as_is"], columns=columns)], axis=1)
    write_table(found, place / "predictions.parquet")
    test = (held_out["split"] == "test").to_numpy()
    controls = [
        pd.DataFrame(answers[name][test], columns=columns).assign(
            example=held_out["example"].to_numpy()[test], control=name, draw=0
        )
        for name in ("others", "shuffled", "ref_as_alt")
    ]
    write_table(pd.concat(controls, ignore_index=True), place / "predicted/controls.parquet")
    explained = held_out["example"][test].iloc[0]
    bases = [
        {"example": explained, "answer": "disease 1", "against": "no disease", "allele": allele, "offset": offset, "base": base,
         "value": 0.5 * offset}
        for allele in ("ref", "alt") for offset, base in zip((-1, 0, 1), "GCA")
    ]  # fmt: skip
    write_table(pd.DataFrame(bases), place / "predicted/attribution.parquet")
    tried = pd.DataFrame({"example": [explained] * 2, "offset": [-1, 1], "base": ["T", "C"], "change": [0.25, -2.5]})
    write_table(tried, place / "predicted/scan.parquet")
    if arm == "reads":
        asked, names = held_out["example"][test], np.array(classes, object)
        rows = [
            {
                "example": example,
                "draw": draw,
                "generation": f"Answer: {names[wrong if draw == 2 else right]}<|im_end|>",
            }
            for draw in range(3)
            for example, right, wrong in zip(asked, truth[test], other[test])
        ]
        write_table(pd.DataFrame(rows), place / "predicted/generated.parquet")
    (place / "cost.json").write_text(json.dumps({"train_seconds": 1.0, "device": "cpu", "warnings": []}))


def make_questions(folder):
    """Write the questions and answers of a study below a folder, and its report into its results; return the results."""
    write_questions(folder)
    study = study_of(folder)
    results = folder / study.results
    settings = task_settings(study, "pathways")
    task = task_block(settings["task"])
    kind = module(tasks.__name__, task.kind)
    made = kind.examples(task, {}, Division())
    tables = results / "examples/pathways"
    for name, table in made.facts.items():
        write_table(table, tables / name)
    counts, leakage = ({"pathways": results / f"examples/pathways.{name}.tsv"} for name in ("counts", "leakage"))
    write_table(made.counts, counts["pathways"])
    write_table(made.checks, leakage["pathways"])
    classes = made.facts["classes.tsv"]["class"].tolist()
    runs, _ = expand_runs(study)
    for run in runs:
        place = results / "runs" / run.label
        (place / "predicted").mkdir(parents=True)
        files, own = {"tables": str(tables)}, run_settings(study, run)
        write_run(own, place / "run.yaml")
        if run.adaptation == "baseline":
            run_baseline(own, made.table, files, place, 1)
        else:
            stand_in(place, made.table, classes, run.adaptation)
        found = pd.read_parquet(place / "predictions.parquet")
        scored = kind.score(score_settings(study, run), made.table, found, place / "predicted", files)
        for name, one in scored.tables.items():
            if not isinstance(one, str):
                write_table(one, place / "scores" / name)
        write_table(scored.metrics, place / "metrics.tsv")
    report_of(results, study, runs, "Questions", counts, leakage)
    return results
