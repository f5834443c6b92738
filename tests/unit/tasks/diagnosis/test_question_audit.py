"""What answers questions without DNA: the figures of the pathway questions, and planted leaks."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from diagnosis_data import data_folder, expected
from glmflow.tasks.diagnosis.answer_lookups import in_turn, left_out, lookup, majority, nearest, possible
from glmflow.tasks.diagnosis.question_audit import audit, keys_of
from glmflow.tasks.diagnosis.question_layouts import read_questions
from glmflow.tasks.diagnosis.shared_references import distinct_kmers, groups_by, shared_kmers

WORDS = {
    "best_possible_by_gene": "best_possible_by_gene_all290",
    "best_possible_by_gene_and_network": "best_possible_by_gene_and_network_all290",
    "leave_group_out": "leave_group_out_290",
    "distinct_pairs": "distinct_pairs_of_290",
}


@pytest.fixture(scope="module")
def pathways():
    tables = [read_questions("kegg", data_folder() / f"kegg/{split}.json") for split in ("val", "test")]
    rows = pd.concat(tables, ignore_index=True)
    return rows, keys_of(rows, shared_kmers(rows["sequence_ref"].tolist()))


def test_every_figure_of_the_pathway_questions(pathways):
    rows, keys = pathways
    found = json.loads(json.dumps(audit(rows, keys, np.arange(144), np.arange(144, 290))))
    found = {WORDS.get(name, name): value for name, value in found.items()}
    wanted = expected("kegg_audit")
    wanted.pop("hard")  # of the same rows with another question
    assert found == wanted


@pytest.mark.slow
def test_what_look_ups_reach_with_more_training(pathways):
    """Means of 40 random draws of other seeds: within four standard errors of the difference of two such means."""
    rows, keys = pathways
    answers = rows["target"].tolist()
    for count, wanted in expected("kegg_lookup_curve").items():
        drawn = {name: [] for name in ("majority", "gene", "gene+network", "nearest reference")}
        for seed in range(40):
            order = np.random.default_rng(seed).permutation(len(rows))
            test, train = order[:29], order[29 : 29 + int(count)]
            known, truths = ([answers[row] for row in part] for part in (train, test))
            tables = [
                lookup([own[i] for i in train], known, [own[i] for i in test]) for own in (keys.gene, keys.network)
            ]
            common = majority(known)
            closest = nearest(keys.shared[np.ix_(test, train)], known)
            said = {
                "majority": [common] * 29,
                "gene": in_turn(tables[:1], common),
                "gene+network": in_turn(tables, common),
                "nearest reference": [one or common for one in closest],
            }
            for name, found in said.items():
                drawn[name].append(np.mean([one == truth for one, truth in zip(found, truths)]))
        for name, values in drawn.items():
            error = np.std(values) * np.sqrt(2 / 40)
            assert abs(np.mean(values) - wanted[name]) < 4 * error, (count, name)


def test_the_most_frequent_answer_of_a_key():
    found = lookup(["a", "a", "b", "b", None], ["x", "y", "y", "y", "z"], ["a", "b", "c", None])
    assert found.answers == ["y", "y", None, None] and found.seen == 2
    assert in_turn([found], "m") == ["y", "y", "m", "m"]
    assert majority(["b", "a", "a", "b"]) == "b"


def test_the_nearest_row_shares_something():
    similarity = np.array([[0, 3, 3], [0, 0, 0]])
    assert nearest(similarity, ["a", "b", "c"]) == ["b", None]
    outside = np.array([[True, False, True], [True, True, True]])
    assert nearest(similarity, ["a", "b", "c"], outside) == ["c", None]


def test_rows_of_the_own_group_never_answer():
    groups = np.array([0, 0, 1, 1])
    assert left_out(["a", "a", "b", "b"], groups) == ["b", "b", "a", "a"]
    assert left_out(["a", "b", "b", "c"], groups, np.ones((4, 4))) == ["b", "b", "a", "a"]


def test_no_rule_is_better_than_the_commonest_answer_of_each_key():
    assert possible(["x", "y", "x", "x"], ["a", "a", "b", "b"]) == 0.75


def test_shared_kmers_are_counted_as_sets_of_text():
    generator = np.random.default_rng(0)
    texts = ["".join(generator.choice(list("ACGT"), 60)) for _ in range(3)]
    texts += [texts[0][20:] + texts[1][:20], "ACGTN" * 12]
    own = [{text[at : at + 5] for at in range(len(text) - 4) if "N" not in text[at : at + 5]} for text in texts]
    assert shared_kmers(texts, k=5).tolist() == [[len(one & other) for other in own] for one in own]
    assert shared_kmers(texts[:1], texts[1:], k=5).tolist() == [[len(own[0] & other) for other in own[1:]]]
    assert len(distinct_kmers("ACGT", 31)) == 0


def test_groups_join_whatever_has_anything_in_common():
    shared = np.array([[9, 0, 0, 0], [0, 9, 0, 2], [0, 0, 9, 0], [0, 2, 0, 9]])
    by_key = groups_by(["g", "h", "g", None], shared=shared, least=2)
    assert by_key[0] == by_key[2] and by_key[1] == by_key[3] and len(set(by_key)) == 2
    assert Counter(groups_by([None, None, None, None]).tolist()).most_common(1)[0][1] == 1
