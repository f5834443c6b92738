"""What a job imports decides how soon it starts: libraries that take seconds are loaded by those alone that use them.

One process imports everything in the order of what it may bring along, and says after each module what has come.
"""

import subprocess
import sys

import pytest
from glmflow import baselines, tasks
from glmflow.modules import module_names
from glmflow.training import inputs, targets

PARSING = {"torch", "pandas", "pyarrow", "scipy", "transformers", "accelerate", "peft"}
COMPUTING = {"torch", "transformers", "accelerate", "peft"}
PREDICTING = {"transformers", "accelerate", "peft"}
NETWORKS = {"small_cnn"}
"""Baselines that are networks, and so need torch."""


def below(package, *left_out):
    """Return the names of the modules of a package."""
    return [f"{package.__name__}.{name}" for name in module_names(package) if name not in left_out]


STEPS = {
    # While the Snakefile is parsed.
    **dict.fromkeys(("glmflow.config", "glmflow.plan.jobs", "glmflow.errors", "glmflow.status"), PARSING),
    # Jobs that compute with no network: examples, scores, comparisons, baselines.
    **dict.fromkeys((*below(tasks), *below(baselines, *NETWORKS), "glmflow.provenance"), COMPUTING),
    # Jobs that apply a model and train nothing.
    **dict.fromkeys(("glmflow.training.predict", *below(inputs), *below(targets)), PREDICTING),
    "glmflow.training.extend": PREDICTING,
}
CODE = """
import importlib, sys
watched = sys.argv[1].split(",")
for name in sys.argv[2:]:
    importlib.import_module(name)
    print(name, *(library for library in watched if library in sys.modules))
"""


@pytest.fixture(scope="module")
def loaded():
    """Libraries that are there after each module was imported."""
    command = [sys.executable, "-c", CODE, ",".join(sorted(PARSING)), *STEPS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: set(found) for name, *found in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("name", STEPS)
def test_no_module_brings_a_library_that_its_jobs_do_not_use(loaded, name):
    assert not loaded[name] & STEPS[name]
