"""What single answers rest on: questions that are looked at, the part of each base, every replacement."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from glmflow.models.interface import Tokens
from glmflow.training.inputs.allele_views import Alleles
from glmflow.training.inputs.answer_attribution import Case, attributions, cases_of, mutation_scan, replaced

VIEW = Alleles("ACGTACG", "ACGAACG", 3, 4, 4)


def test_wrong_answers_come_first_the_surest_of_them_and_then_the_least_sure_right_ones():
    logs = np.log([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    found = cases_of(logs, np.array([1, 1, 0, 0, 1]), np.array([0, 1, 2, 3]))
    assert [(case.place, case.first, case.second) for case in found[:1]] == [(1, 0, 1)]
    assert [case.place for case in found] == [1, 0, 2, 3], "question 4 is none of the test questions"


def test_each_base_next_to_the_change_is_replaced_in_both_alleles_and_the_change_in_the_variant():
    found = replaced(VIEW)
    assert len(found) == 6 * 3 + 2
    assert {(offset, base) for offset, base, _ in found if offset == 0} == {(0, "C"), (0, "G")}
    for offset, base, pair in found:
        assert pair.alt[3 + offset] == base and pair.places() == VIEW.places()
        others = [place for place in range(7) if place != 3 + offset]
        assert all(pair.ref[place] == VIEW.ref[place] and pair.alt[place] == VIEW.alt[place] for place in others)
        assert pair.ref[3 + offset] == (VIEW.ref[3] if offset == 0 else base)


def test_replacements_right_of_an_indel_are_at_the_same_base_of_both():
    view = Alleles("ACGTTT", "ACTTT", 2, 3, 2)  # G is deleted
    found = {(offset, base): pair for offset, base, pair in replaced(view)}
    assert (0, "A") not in found
    assert found[1, "C"].ref == "ACGCTT" and found[1, "C"].alt == "ACCTT"
    assert found[-1, "T"].ref == "ATGTTT" and found[-1, "T"].alt == "ATTTT"


class Linear:
    """Stands for a head whose answers are a weighted sum of the states of both alleles."""

    both_strands = False

    def __init__(self, weights):
        self.weights = weights  # [classes, 2 alleles, L, D]

    def vectors(self, states, inside, change):
        return states[None]

    def ranked(self, vectors, ids):
        return torch.einsum("sald,cald->sc", vectors, self.weights)


def stand_in(head, states):
    """Return what is asked, with states that are given."""
    item = {"prompt": np.array([0, -1, 1]), "answer": np.array([1]), "weight": np.ones(1), "target": 0}
    fields = dict.fromkeys(Tokens._fields)
    model = SimpleNamespace(
        adapter=SimpleNamespace(tokenize=lambda sequences, chunk: Tokens(**fields)),
        device=torch.device("cpu"),
        features=lambda tokens: torch.cat([states, torch.ones(*states.shape[:2], 1)], dim=-1),
    )
    return SimpleNamespace(
        head=head, model=model, classes=["a", "b"], examples=pd.DataFrame({"example": ["q0"]}), own=lambda: [VIEW],
        items=lambda place, generator: dict(item),
    )  # fmt: skip


def test_parts_of_the_bases_of_a_linear_model_are_its_terms():
    torch.manual_seed(0)
    states, weights = torch.randn(2, 7, 3), torch.randn(2, 2, 7, 3)
    table = attributions(stand_in(Linear(weights), states), [Case(0, 1, 0)])
    assert set(table["answer"]) == {"b"} and set(table["against"]) == {"a"}
    for row, name in enumerate(("ref", "alt")):
        part = table[table["allele"] == name]
        expected = ((weights[1, row] - weights[0, row]) * states[row]).sum(-1)
        np.testing.assert_allclose(part["value"], expected, rtol=1e-5)
        assert part["offset"].tolist() == list(range(-3, 4)) and "".join(part["base"]) == (VIEW.ref, VIEW.alt)[row]


def test_a_replacement_changes_the_lead_by_what_the_model_says():
    logs = np.array([[-1.0, -3.0]])
    asked = {}

    def ranked(views, parts, way, places):
        asked["views"], asked["places"] = views, places
        return np.array([[-1.0, -3.0 - number] for number in range(len(views))])

    asking = SimpleNamespace(own=lambda: [VIEW], ranked=ranked, examples=pd.DataFrame({"example": ["q0"]}))
    table = mutation_scan(asking, [Case(0, 0, 1)], logs, None)
    assert table["change"].tolist() == list(range(20)) and set(asked["places"]) == {0}
    assert len(table) == len(asked["views"]) == len(replaced(VIEW))
