"""Rules that apply tuned models call the command's own function: a rule's parameters are arguments of the command."""

import re
from pathlib import Path

import pytest
from glmflow.apply.predict_command import predict_arguments

ROOT = Path(__file__).resolve().parents[3]
FILES = {"model": Path("run"), "fasta": Path("genome.fa"), "output": Path("predicted.parquet")}


def test_what_is_not_given_is_as_in_the_command():
    arguments = predict_arguments(**FILES, share=7)
    assert (arguments.share, arguments.counts, arguments.strict) == (7, None, False)
    assert (arguments.model, arguments.fasta, arguments.output) == tuple(FILES.values())


def test_an_argument_that_the_command_lacks_is_refused():
    with pytest.raises(TypeError, match="no argument shares"):
        predict_arguments(**FILES, shares=7)


def test_every_parameter_of_the_rule_is_an_argument():
    rule = (ROOT / "workflow" / "rules" / "apply.smk").read_text()
    params = re.findall(r"^            (\w+)=", rule[rule.index("        params:") :], flags=re.MULTILINE)
    assert len(params) > 8
    predict_arguments(**FILES, **dict.fromkeys(params))
