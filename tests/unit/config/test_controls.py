"""A task with a control says what it is a control of, whatever its kind."""

import typing

import pytest
from glmflow.config.blocks import kind_of
from glmflow.config.compared import control_in_words, controls_of
from glmflow.config.study import Study
from glmflow.config.tasks import KINDS

REQUIRED = {
    "base_labels": {"segments": "s.bed"},
    "sequences": {"table": "t.tsv"},
    "seq2cellxtf": {"simulated": {}},
}
CONTROLLED = [kind for kind in KINDS if "control" in kind.model_fields]


@pytest.mark.parametrize("kind", CONTROLLED, ids=kind_of)
def test_every_control_is_one_of_the_task_without_it(kind):
    plain = {"kind": kind_of(kind), **REQUIRED.get(kind_of(kind), {})}
    ways = [way for way in typing.get_args(kind.model_fields["control"].annotation) if way != "none"]
    assert ways
    for way in ways:
        study = Study.model_validate(
            {
                "study": "s",
                "tasks": {"whole": plain, "held": plain | {"control": way}},
                "models": {"m": {"checkpoint": "some/folder"}},
                "adaptations": {"a": {"kind": "full"}},
                "runs": [{"tasks": ["whole"], "models": ["m"], "adaptations": ["a"]}],
            }
        )
        assert controls_of(study, "whole") == ["held"] and controls_of(study, "held") == []
        assert control_in_words(study.tasks["held"]) == way.replace("_", " ")
        assert control_in_words(study.tasks["whole"]) is None


def test_controls_are_of_several_kinds():
    assert len(CONTROLLED) > 4
