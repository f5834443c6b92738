"""Rules that apply tuned models, and the command that does: both have the same arguments."""

import argparse
import re
from pathlib import Path

from glmflow.apply.predict_command import add_predict_command

ROOT = Path(__file__).resolve().parents[3]


def test_the_rules_give_every_argument_of_the_command():
    parser = argparse.ArgumentParser()
    add_predict_command(parser.add_subparsers())
    (subparsers,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    names = {action.dest for action in subparsers.choices["predict"]._actions} - {"help"}
    text = "".join((ROOT / "workflow" / name).read_text() for name in ("scripts/apply.py", "rules/apply.smk"))
    assert len(names) > 8
    assert {name for name in names if not re.search(rf'\b{name}=|"{name}"', text)} == set()
