"""Examples of kind `diagnosis`: questions with their alleles, split and group, and what answers them without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.tasks.diagnosis import Diagnosis
from glmflow.errors import InputError
from glmflow.genome.allele_change import cropped, hidden, reaches_the_end
from glmflow.tasks.tables import WARN, Checks, Division, Made, counts_table, examples_table

from .plain_lookups import Plain, plain_lookups
from .question_audit import Keys, audit, keys_of
from .question_layouts import one_question, questions_of, read_questions
from .question_splits import divide
from .simulated_questions import simulate_questions
from .trace_statements import as_shown, statements

ANSWERABLE = "answer_in_training"
"""Subset of held-out questions whose answer training gives at least once: no other can be right."""
MOST_RIGHT = "the most that can be right"
"""Of rows whose group is left out those whose answer another group has; of a key those of its commonest answer."""
BEST = {"by gene": "best_possible_by_gene", "by gene and network": "best_possible_by_gene_and_network"}
SEEN = {
    "lookup_gene": ("gene", "gene"),
    "lookup_network_plain": ("network", "network"),
    "lookup_pathway_genes": ("pathway", "genes of the pathway"),
    "lookup_chromosome": ("chromosome", "chromosome"),
}
"""What questions can be looked up by: the field of `Keys`, and its name in words."""
NEEDS = {
    **{
        "nearest_pathway_genes_jaccard": "lookup_pathway_genes",
        "nearest_network_elements_jaccard": "lookup_network_plain",
    },
    **{"gene": "lookup_gene", "gene+network": "lookup_network_plain", "gene+network+genes": "lookup_pathway_genes"},
    **{"by gene": "lookup_gene", "by gene and network": "lookup_network_plain"},
}
"""Look-ups that a row of `groups.tsv` makes use of: it is left out where no question says what they need."""


def examples(task: Diagnosis, files: Mapping[str, Any], division: Division) -> Made:
    """Return one example a question.

    Columns beside the standard ones: `sequence_ref`, `sequence_alt` (whole windows; models read a crop), `text_question`,
    `text_reasoning` (what it says of the variant is what the alleles show), `target` (the class), and what the text says:
    `gene`, `network`, `pathway`, `chromosome`, `position`.
    Tables: `classes.tsv` (the answers to choose from), `lookups.tsv` (what look-ups alone reach), `groups.tsv`, `statements.tsv`
    (what the reasoning of the table says of the DNA, and of how many that is so).

    Raises
    ------
    InputError
        A row is wrong, a split is empty, an answer is not in the list, or cropping hides the change of a question.
    """
    rows = read(task)
    require_changes(rows, task)
    parts = divide(rows, task)
    used = np.array([split is not None for split in parts.split])
    rows = rows[used].assign(split=parts.split[used], group=parts.group[used]).reset_index(drop=True)
    shared = None if parts.shared is None else parts.shared[np.ix_(used, used)]
    require_splits(rows["split"])
    classes = classes_of(rows, task)
    known = set(rows.loc[rows["split"] == "train", "target"])
    rows["subset"] = np.where(rows["target"].isin(known), ANSWERABLE, "")
    if rows.loc[rows["split"] != "train", "subset"].ne("").all():
        rows["subset"] = ""
    rows["example"] = [f"question{number}" for number in range(len(rows))]
    rows["chrom"] = None
    facts: dict[str, pd.DataFrame] = {"classes.tsv": class_table(rows, classes)}
    facts["sources.tsv"] = pd.DataFrame({"note": parts.notes})
    if rows["text_reasoning"].fillna("").str.len().gt(0).any():
        facts["statements.tsv"] = statements(rows["text_reasoning"], rows["sequence_ref"], rows["sequence_alt"])
    checks, counts = Checks(), counted(rows, used)
    if not task.simulated:
        found = audited(rows, keys_of(rows, shared), checks)
        forms = audited_forms(rows, checks)
        facts |= {"lookups.tsv": lookup_table(found, forms), "groups.tsv": group_table(found)}
        counts |= told(found)
    if task.splits.merge:
        detail = (
            "the originals choose their weights by the loss on the rows that they are scored on; here other rows choose"
        )
        checks.add("rows that choose weights are scored", 0, len(rows), detail, leak=False, status=WARN)
    rows["text_reasoning"] = [
        as_shown(text, ref, alt) if text else ""
        for text, ref, alt in zip(rows["text_reasoning"].fillna(""), rows["sequence_ref"], rows["sequence_alt"])
    ]
    return Made(examples_table(rows), counts_table(counts), checks.table(), facts)


def compared(task: Diagnosis, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies: of each question the reference, as far as a model reads it."""
    if task.simulated:
        return "simulated questions are independent of each other: their bases are drawn for each"
    pairs = zip(table["sequence_ref"], table["sequence_alt"])
    return table[["example", "split"]].assign(sequence=[cropped(*pair, task.crop, task.flank)[0] for pair in pairs])


def read(task: Diagnosis) -> pd.DataFrame:
    """Return the questions of a task's files, or simulated ones, with `split` where it is known."""
    if task.simulated:
        made = simulate_questions(**task.simulated.model_dump(), unchanged=task.unchanged)
        rows = pd.DataFrame([one_question("table", row) for row in made.to_dict("records")])
        return rows.assign(gene=made["gene"], case=made["case"], split=made["split"])
    tables = []
    for split, path in task.sources().items():
        table = read_questions(task.layout, path)
        tables.append(table.assign(split=split) if split else table)
    return pd.concat(tables, ignore_index=True)


def asked(questions: str | Path | Sequence[Mapping[str, Any]], task: Diagnosis) -> pd.DataFrame:
    """Return new questions, of a table or given as rows, as test examples; their answers need not be known.

    Raises
    ------
    InputError
        A row is wrong, or cropping hides the change of a question.
    """
    layout = task.layout if task.layout != "kegg" else "table"
    if isinstance(questions, (str, Path)):
        rows = read_questions(layout, questions, answered=False)
    else:
        rows = questions_of(layout, questions, "questions", answered=False)
    source = questions if isinstance(questions, (str, Path)) else "questions"
    require_changes(rows, task, source, "Leave out rows whose alleles do not differ.")
    names = [f"question{number}" for number in range(len(rows))]
    return rows.assign(example=names, split="test", target=task.unchanged)


CROP_FIX = "Say crop: change, or a larger flank; leave rows out whose alleles do not differ."


def require_changes(
    rows: pd.DataFrame, task: Diagnosis, where: str | Path = "tasks.*.crop", fix: str = CROP_FIX
) -> None:
    """Stop where what a model reads of both alleles is the same in a question that is not about equal alleles.

    Raises
    ------
    InputError
        With the number of such questions.
    """
    asked = rows[rows["target"] != task.unchanged]
    read_of = [
        cropped(ref, alt, task.crop, task.flank) for ref, alt in zip(asked["sequence_ref"], asked["sequence_alt"])
    ]
    same = hidden([ref for ref, _ in read_of], [alt for _, alt in read_of])
    if same:
        what = (
            f"{len(same):,} of {len(asked):,} questions show the same reference and variant after cropping to "
            f"{2 * task.flank:,} bases ({task.crop}): the change is not seen"
        )
        raise InputError(what, where=where, fix=fix)


def require_splits(split: pd.Series) -> None:
    """Stop where there is nothing to learn from, or to score."""
    for name in ("train", "test"):
        if not (split == name).any():
            what = f"no {name} question"
            raise InputError(what, where="splits", fix="Give shares, values or files that leave some in each split.")


def classes_of(rows: pd.DataFrame, task: Diagnosis) -> list[str]:
    """Return the answers to choose from, the one for equal alleles last where the table has none.

    Raises
    ------
    InputError
        An answer of the table is not in the list that is given.
    """
    found = sorted(set(rows["target"]))
    if task.classes is not None:
        listed = [name.lower().strip() for name in task.classes]
        if lost := sorted(set(found) - set(listed)):
            what = f"the answer {lost[0]!r} is not in the list of classes"
            raise InputError(what, where="tasks.*.classes", fix="Add it, or leave `classes` out.")
        found = listed
    return found if task.unchanged in found else [*found, task.unchanged]


def class_table(rows: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Return the classes in their order with the number of questions of each in every split."""
    table = pd.crosstab(rows["target"], rows["split"]).reindex(classes, fill_value=0)
    return table.rename_axis("class").reset_index()


def audited(rows: pd.DataFrame, keys: Keys, checks: Checks) -> Mapping[str, Any]:
    """Return the audit of test rows against all others, and add what they share to the checks.

    Look-ups by what no question says are left out.
    """
    split = rows["split"].to_numpy(object)
    train, test = np.flatnonzero(split != "test"), np.flatnonzero(split == "test")
    silent = {key for key, (field, _) in SEEN.items() if all(value is None for value in getattr(keys, field))}
    found = {name: value for name, value in audit(rows, keys, train, test).items() if name not in silent}
    of = len(test)
    copied, same = found["identical_pair"], found["identical_reference"]
    checks.add("test: the pair of alleles is one of training", copied, of, "copies: remembering them answers")
    checks.add(
        "test: the reference is one of training", same, of, "the locus says the answer, the variant is not needed"
    )
    for key, name in said(found).items():
        one = found[key]
        detail = f"looking it up answers {one['correct']} of these {one['seen']}"
        fails = key == "lookup_gene" and one["seen"] > 0
        status = None if fails else warned(one["seen"])
        checks.add(f"test: {name} is known from training", one["seen"], of, detail, leak=fails, status=status)
    lost = found["test_labels_never_in_train"]["items"]
    detail = f"no model can be right there; the others are scored apart as {ANSWERABLE}"
    checks.add("test: the answer is none of training", lost, of, detail, leak=False, status=warned(lost))
    two = found["duplicated_pairs_with_two_answers"]
    pairs = found["distinct_pairs"]
    checks.add("pairs of alleles with two answers", two, pairs, leak=False, status=warned(two))
    return found


def said(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the look-ups of an audit by something that questions say, with its name in words."""
    return {key: name for key, (_, name) in SEEN.items() if key in found}


def audited_forms(rows: pd.DataFrame, checks: Checks) -> list[Plain]:
    """Return what the form of test questions answers, and warn of one that tells more than the most frequent answer."""
    test = (rows["split"] == "test").to_numpy()
    long = sum(map(reaches_the_end, rows["sequence_ref"], rows["sequence_alt"]))
    detail = "behind an insertion or deletion windows of one length end elsewhere: for those say layout: vep_non_snv"
    checks.add(
        "alleles that differ to the end of their window", long, len(rows), detail, leak=False, status=warned(long)
    )
    found = plain_lookups(rows, np.flatnonzero(~test), np.flatnonzero(test))
    for one in found:
        detail = f"the most frequent answer is right for {one.majority}"
        status = WARN if one.tells else None
        checks.add(f"test: right by the {one.name} alone", one.correct, one.of, detail, leak=False, status=status)
    return found


def warned(found: int) -> str | None:
    """Return the status of what has to be known; None where there is none of it."""
    return WARN if found else None


def lookup_table(found: Mapping[str, Any], forms: Sequence[Plain] = ()) -> pd.DataFrame:
    """Return what each look-up reaches on test questions: `rule`, `seen`, `correct`, `of`, `accuracy`."""
    of, rows = found["n_test"], []
    one = found["majority"]
    rows.append((f"majority ({one['label']})", of, one["correct"]))
    for key, name in said(found).items():
        rows.append((name, found[key]["seen"], found[key]["correct"]))
        rows.append((f"{name}, else majority", of, found[key]["with_majority_backoff"]))
    if {"lookup_gene", "lookup_network_plain"} <= set(found):
        ruled = found["rule_gene_net_genes_majority"]["correct"]
        rows.append(("gene, network, genes of the pathway, majority in turn", of, ruled))
    for key, one in found.get("nn31", {}).items():
        if key.startswith("shared_ge_"):
            name = f"nearest reference, {key.removeprefix('shared_ge_')} or more shared 31-mers"
            rows.append((name, one["items"], one["correct"]))
        else:
            rows.append(("nearest reference, else majority", of, one["correct"]))
    rows += [(f"{one.name}, else majority", one.seen, one.correct) for one in forms]
    table = pd.DataFrame(rows, columns=["rule", "seen", "correct"])
    return table.assign(of=of, accuracy=table["correct"] / of)


def group_table(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return groups by what must not be split, what look-ups in all other groups reach, and the most that can be right."""
    rows: list[dict[str, Any]] = []
    of = found["n_train"] + found["n_test"]

    def reached(groups: str, rule: str, correct: int) -> None:
        rows.append({"groups": groups, "left_out": rule, "correct": correct, "accuracy": correct / of, "of": of})

    def known(name: str) -> bool:
        return name not in NEEDS or NEEDS[name] in found

    for name, own in {**found["components"], **found.get("groups", {})}.items():
        if known(name):
            rows.append({"groups": name, "number": own["groups"], "largest": own["largest"][0], "of": of})
    for name, own in found.get("leave_group_out", {}).items():
        for rule, one in own.items():
            if isinstance(one, dict) and known(rule):
                reached(name, rule, one["correct"])
        reached(name, MOST_RIGHT, own["answer_exists_outside_group"])
    for name, key in BEST.items():
        if known(name):
            reached(name, MOST_RIGHT, round(found[key] * of))
    return pd.DataFrame(rows)


def counted(rows: pd.DataFrame, used: np.ndarray) -> dict[str, int]:
    """Return how many questions there are of each split and kind of change, and how many are in none."""
    counts = {f"{split} questions": int((rows["split"] == split).sum()) for split in ("train", "validation", "test")}
    counts["questions that are in no split"] = int((~used).sum())
    counts |= {f"changes: {kind}": int(n) for kind, n in rows["kind"].value_counts().items()}
    counts["groups"] = int(rows["group"].nunique())
    return counts


def told(found: Mapping[str, Any]) -> dict[str, int]:
    """Return what traces say that a reader is not given."""
    return {
        "traces that name a position, which the question does not": found["trace_names_position"],
        "traces that contain the answer": found["trace_contains_answer"],
        "traces that name another answer": found["traces_naming_another_label"],
        "genes": found["genes_total"],
        "genes with one answer": found["genes_with_one_answer"],
    }
