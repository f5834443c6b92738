"""What answers questions without reading DNA or thinking: look-ups, copies and names that training and test share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.allele_change import common_start, published_truncation

from .answer_lookups import in_turn, jaccard, left_out, lookup, majority, nearest, possible, without_group
from .question_texts import network_elements, network_key, pathway_genes
from .shared_references import LOCUS, groups_by

SHARED = (1, LOCUS, 2000, 3970)
"""Numbers of shared 31-mers at which the nearest reference is judged."""
PER_SIDE = 1024
ALLELES = re.compile(r"\b([ACGT])>([ACGT])\b")
PLACED = re.compile(r"\bposition\s+\d+", re.IGNORECASE)


class Keys(NamedTuple):
    """What rows can be looked up by; each is None where the text does not say it.

    Attributes
    ----------
    gene, network, pathway, chromosome
        One a row; the pathway is the set of its genes.
    shared : int[rows, rows] or None
        Distinct 31-mers that two references share; None where there are too many rows to compare each with each.
    """

    gene: list[Hashable]
    network: list[Hashable]
    pathway: list[Hashable]
    chromosome: list[Hashable]
    shared: NDArray[np.int32] | None


def keys_of(rows: pd.DataFrame, shared: NDArray[np.int32] | None) -> Keys:
    """Return what rows of questions can be looked up by, their shared 31-mers among it (`Keys`)."""
    return Keys(
        own(rows["gene"]),
        [network_key(value) for value in own(rows["network"])],
        [pathway_genes(value) or None for value in own(rows["pathway"])],
        own(rows["chromosome"]),
        shared,
    )


def own(column: pd.Series) -> list[Any]:
    """Return the values of a column, None where there is none."""
    return [None if pd.isna(value) else value for value in column]


def of_key(keys: Sequence[Hashable], answers: Sequence[str], train: NDArray, test: NDArray) -> dict[str, Any]:
    """Return what a look-up by one key reaches on test rows, and how much it knows."""
    known, asked = ([keys[row] for row in part] for part in (train, test))
    learned, truths = ([answers[row] for row in part] for part in (train, test))
    found = lookup(known, learned, asked)
    right = sum(one == truth for one, truth in zip(found.answers, truths))
    fallback = majority(learned)
    back = sum(one == truth for one, truth in zip(in_turn([found], fallback), truths))
    tables: dict[Hashable, set[str]] = defaultdict(set)
    for key, answer in zip(known, learned):
        tables[key].add(answer)
    return {
        "seen": found.seen,
        "correct": right,
        "accuracy_all": right / len(truths),
        "with_majority_backoff": back,
        "accuracy_with_backoff": back / len(truths),
        "distinct_train": len(set(known)),
        "distinct_test": len(set(asked)),
        "pure_in_train": sum(len(one) == 1 for one in tables.values()),
    }


def of_references(shared: NDArray, answers: Sequence[str], train: NDArray, test: NDArray) -> dict[str, Any]:
    """Return what the answer of the training row with most shared 31-mers reaches, by the least number shared."""
    between = shared[np.ix_(test, train)]
    learned, truths = ([answers[row] for row in part] for part in (train, test))
    found, top = nearest(between, learned), between.max(axis=1, initial=0)
    right = np.array([one == truth for one, truth in zip(found, truths)])
    table = {
        f"shared_ge_{least}": {"items": int((top >= least).sum()), "correct": int(right[top >= least].sum())}
        for least in SHARED
    }
    fallback = majority(learned)
    either = sum((one or fallback) == truth for one, truth in zip(found, truths))
    table["accuracy_all_1nn_else_majority"] = {"correct": either, "accuracy": either / len(truths)}
    return table


def of_groups(groups: NDArray, answers: Sequence[str]) -> dict[str, Any]:
    """Return how many groups there are, the largest, and the labels that one group alone has: never right if held out."""
    where: dict[str, set[int]] = defaultdict(set)
    for group, answer in zip(groups.tolist(), answers):
        where[answer].add(group)
    lone = {answer for answer, found in where.items() if len(found) == 1}
    return {
        "groups": len(set(groups.tolist())),
        "largest": sorted(Counter(groups.tolist()).values(), reverse=True)[:5],
        "labels_in_one_group_only": len(lone),
        "items_of_those": sum(answer in lone for answer in answers),
    }


def of_left_out(groups: NDArray, answers: Sequence[str], rows: pd.DataFrame, shared: NDArray) -> dict[str, Any]:
    """Return what look-ups in all other groups reach, and how many rows have their answer outside of their group."""
    genes = [pathway_genes(value) for value in own(rows["pathway"])]
    words = [network_elements(value) for value in own(rows["network"])]
    rules = {
        "majority": None,
        "nearest_pathway_genes_jaccard": jaccard(genes, genes),
        "nearest_network_elements_jaccard": jaccard(words, words),
        "nearest_reference_31mers": shared,
    }
    found: dict[str, Any] = {}
    for name, similarity in rules.items():
        right = sum(map(str.__eq__, left_out(answers, groups, similarity), answers))
        found[name] = {"correct": right, "accuracy": right / len(answers)}
    values = np.asarray(answers, object)
    outside = without_group(groups) & (values[:, None] == values[None, :])
    return found | {"answer_exists_outside_group": int(outside.any(axis=1).sum())}


def of_pairs(rows: pd.DataFrame, train: NDArray, test: NDArray) -> dict[str, int]:
    """Return how many test rows share their reference, alternative allele or both with a training row."""

    def shared(columns: Sequence[str], cut: bool = False) -> list[set]:
        texts = [[published_truncation(one, PER_SIDE) if cut else one for one in rows[name]] for name in columns]
        known: dict[tuple, set] = defaultdict(set)
        for row in train:
            known[tuple(own[row] for own in texts)].add(rows["target"].iloc[row])
        return [known[key] | {""} if (key := tuple(own[row] for own in texts)) in known else set() for row in test]

    both = shared(["sequence_ref", "sequence_alt"])
    return {
        "identical_reference": sum(map(bool, shared(["sequence_ref"]))),
        "identical_variant_sequence": sum(map(bool, shared(["sequence_alt"]))),
        "identical_pair": sum(map(bool, both)),
        "identical_pair_same_answer": sum(rows["target"].iloc[row] in found for row, found in zip(test, both)),
        "identical_reference_after_truncation": sum(map(bool, shared(["sequence_ref"], cut=True))),
    }


def of_traces(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """Return what traces say that the reader is never given: alleles, positions, the answer and other classes."""
    alleles: Counter[str] = Counter()
    placed = answered = others = 0
    for row in rows.itertuples(index=False):
        text = str(row.text_reasoning)
        alleles[_alleles(text, str(row.sequence_ref), str(row.sequence_alt))] += 1
        placed += bool(PLACED.search(text))
        lower = text.lower()
        answered += row.target in lower
        others += any(name in lower for name in classes if name not in row.target)
    return {
        "trace_alleles": dict(alleles),
        "trace_names_position": placed,
        "trace_contains_answer": answered,
        "traces_naming_another_label": others,
    }


def of_loci(keys: Keys, answers: Sequence[str], rows: pd.DataFrame, train: NDArray, test: NDArray) -> dict[str, Any]:
    """Return what references that share 31-mers give away, and look-ups in all other groups; empty where none were counted."""
    if keys.shared is None:
        return {}
    both = groups_by(keys.gene, shared=keys.shared)
    all_three = groups_by(keys.gene, keys.network, shared=keys.shared)
    any_shared = of_groups(groups_by(shared=keys.shared, least=1), answers)
    return {
        "nn31": of_references(keys.shared, answers, train, test),
        "locus_groups_any31mer": {"groups": any_shared["groups"], "largest": any_shared["largest"][:3]},
        "groups": {
            "locus_500": of_groups(groups_by(shared=keys.shared), answers),
            "gene_or_locus": of_groups(both, answers),
            "gene_or_locus_or_network": of_groups(all_three, answers),
        },
        "leave_group_out": {
            "gene_or_locus": of_left_out(both, answers, rows, keys.shared),
            "gene_or_locus_or_network": of_left_out(all_three, answers, rows, keys.shared),
        },
    }


def _alleles(text: str, ref: str, alt: str) -> str:
    found = ALLELES.search(text)
    if found is None:
        return "no X>Y in trace"
    start = common_start(ref, alt)
    same = ref[start:].startswith(found[1]) and alt[start:].startswith(found[2])
    return "same alleles" if same else "other alleles"


def audit(rows: pd.DataFrame, keys: Keys, train: NDArray, test: NDArray) -> Mapping[str, Any]:
    """Return all that can be known of a table of questions before any model: rows of both splits together, then apart.

    Parameters
    ----------
    rows
        Questions (`question_layouts.COLUMNS`); those of `train` and `test` are all of them.
    train, test
        Places of the rows.
    """
    answers = rows["target"].tolist()
    learned, truths = ([answers[row] for row in part] for part in (train, test))
    common = majority(learned)
    unknown = sorted(set(truths) - set(learned))
    right = truths.count(common)
    ruled = in_turn(
        [
            lookup([own[row] for row in train], learned, [own[row] for row in test])
            for own in (keys.gene, keys.network, keys.pathway)
        ],
        common,
    )
    ruled_right = sum(map(str.__eq__, ruled, truths))
    classes = sorted(set(answers))
    by_gene: dict[Hashable, Counter] = defaultdict(Counter)
    for gene, answer in zip(keys.gene, answers):
        by_gene[gene][answer] += 1
    known = pd.Series(list(zip(rows["sequence_ref"], rows["sequence_alt"])))
    sizes = known.map(known.value_counts())
    two = rows["target"].groupby(known.to_numpy()).nunique()
    return {
        "n_train": len(train),
        "n_test": len(test),
        "classes_train_test": len(classes),
        "majority": {"label": common, "test_accuracy": right / len(test), "correct": right},
        "test_labels_never_in_train": {"classes": unknown, "items": sum(one in unknown for one in truths)},
        "lookup_gene": of_key(keys.gene, answers, train, test),
        "lookup_network": of_key(own(rows["network"]), answers, train, test),
        "lookup_network_plain": of_key(keys.network, answers, train, test),
        "lookup_pathway_genes": of_key(keys.pathway, answers, train, test),
        "lookup_chromosome": of_key(keys.chromosome, answers, train, test),
        "rule_gene_net_genes_majority": {"correct": ruled_right, "accuracy": ruled_right / len(test)},
        **of_loci(keys, answers, rows, train, test),
        **of_pairs(rows, train, test),
        "components": {
            "gene": of_groups(groups_by(keys.gene), answers),
            "gene+network": of_groups(groups_by(keys.gene, keys.network), answers),
            "gene+network+genes": of_groups(groups_by(keys.gene, keys.network, keys.pathway), answers),
        },
        "genes_total": len(by_gene),
        "genes_with_one_answer": sum(len(own) == 1 for own in by_gene.values()),
        "best_possible_by_gene": possible(answers, keys.gene),
        "best_possible_by_gene_and_network": possible(answers, keys.gene, keys.network),
        "genes_with_several_answers": {name: dict(own) for name, own in by_gene.items() if len(own) > 1},
        "items_reference_equals_variant": int((rows["sequence_ref"] == rows["sequence_alt"]).sum()),
        "first_difference_position": _counted(map(common_start, rows["sequence_ref"], rows["sequence_alt"])),
        "variant_kinds": _counted(rows["kind"]),
        **of_traces(rows, classes),
        "question_contains_answer": sum(
            answer in question.lower() for answer, question in zip(answers, rows["text_question"])
        ),
        "substring_labels": [[one, other] for one, other in permutations(classes, 2) if one in other],
        "distinct_pairs": int(known.nunique()),
        "items_in_duplicated_pairs": int((sizes > 1).sum()),
        "duplicated_pairs_with_two_answers": int((two > 1).sum()),
    }


def _counted(values: Any) -> dict[Any, int]:
    return dict(sorted(Counter(values).items()))
