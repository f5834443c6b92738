"""Models written once for a grid of values."""

import pytest
from glmflow.config import check_study, expand_runs
from glmflow.config.mistakes import ConfigurationError
from glmflow.config.model_grids import of_grids
from glmflow.errors import InputError

BPE = {"pretrain": {"family": "olmo", "corpus": "c", "byte_pairs": {"max_token_length": 8}, "length": 64}}


def study(grid, models="bpe"):
    return check_study(
        {
            "study": "s",
            "corpora": {"c": {"sources": [{"path": "a.fa"}]}},
            "tasks": {"language": {"kind": "language", "corpus": "c"}},
            "models": {"bpe": {**BPE, "grid": grid}, "order_2": {"baseline": {"kind": "fixed_order", "order": 2}}},
            "adaptations": {"as_it_is": {"kind": "zero-shot"}},
            "runs": [{"tasks": ["language"], "models": models, "adaptations": ["as_it_is"]}],
        }
    )


@pytest.mark.parametrize("models", [["bpe"], "all"])
def test_every_combination_is_a_model_and_runs_have_all(models):
    found = study({"pretrain.byte_pairs.vocabulary": [32, 512], "pretrain.learning_rate": [1e-3, 5e-4]}, models)
    names = ["bpe-32-0.001", "bpe-32-0.0005", "bpe-512-0.001", "bpe-512-0.0005"]
    assert list(found.models) == [*names, "order_2"]
    blocks = [found.models[name].pretrain for name in names]
    assert [block.byte_pairs.vocabulary for block in blocks] == [32, 32, 512, 512]
    assert [block.learning_rate for block in blocks] == [1e-3, 5e-4, 1e-3, 5e-4]
    assert {block.byte_pairs.max_token_length for block in blocks} == {8} and {block.length for block in blocks} == {64}
    runs, misfits = expand_runs(found)
    assert [run.model for run in runs] == names and not misfits


def test_a_block_that_is_left_out_is_made_and_the_written_one_stays_as_it_is():
    written = {"small": {"pretrain": {"family": "small"}, "grid": {"pretrain.config.num_layers": [1, 2]}}}
    found, stands_for = of_grids(written)
    assert found["small-2"] == {"pretrain": {"family": "small", "config": {"num_layers": 2}}}
    assert stands_for == {"small": ["small-1", "small-2"]}
    assert written["small"]["pretrain"] == {"family": "small"}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "a list of values each"),
        ({"pretrain.length": 64}, "a list of values each"),
        ({"pretrain.length": [[64]]}, "a list of values each"),
        ({"pretrain.family.name": ["x"]}, "family holds no keys"),
        ({"pretrain.length": [64, 64]}, "comes twice: bpe-64"),
    ],
)
def test_grids_that_say_nothing_are_refused(grid, message):
    with pytest.raises(InputError, match=message):
        of_grids({"bpe": {**BPE, "grid": grid}})


def test_what_a_grid_makes_is_checked_as_if_it_were_written():
    with pytest.raises(ConfigurationError, match="lenght"):
        study({"pretrain.lenght": [64]})
