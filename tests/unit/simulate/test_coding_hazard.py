"""A stand-in for a hazard in a simulated genome: where it lies, and that the gate finds it there and nowhere else."""

import numpy as np
import pytest
from glmflow.config.simulation import Coding
from glmflow.errors import InputError
from glmflow.screening.gate import Gate, GateSettings
from glmflow.simulate.coding_genome import simulate_coding

SETTINGS = {"contigs": {"g": 60_000}, "gene_bp": (300, 450), "families": 3, "panel": 2}


def genome(folder, **more):
    hazards = folder / "hazards.fa" if more else None
    simulate_coding(Coding(**SETTINGS, **more), folder / "g.fa", folder / "genes.csv", hazards)
    read = ["".join(path.read_text().split("\n")[1:]) for path in (folder / "g.fa", hazards) if path]
    return (*read, (folder / "genes.csv").read_text())


def test_the_gate_blocks_what_holds_the_planted_hazard_and_nothing_else(tmp_path):
    for name in ("plain", "planted"):
        (tmp_path / name).mkdir()
    plain, panel = genome(tmp_path / "plain")
    planted, hazard, same_panel = genome(tmp_path / "planted", hazard_bp=2500)
    assert panel == same_panel and len(hazard) == 2500
    differ = np.array(list(plain)) != np.array(list(planted))
    assert not differ[:54_000].any() and not differ[56_500:].any() and 0.6 < differ[54_000:56_500].mean() < 0.9
    changed = np.mean([one != other for one, other in zip(planted[54_000:56_500], hazard)])
    assert 0.03 < changed < 0.07
    gate = Gate(GateSettings((tmp_path / "planted/hazards.fa",)), tmp_path / "audit.jsonl", {})
    pieces = {
        "plain": planted[20_000:21_500],
        "inside": planted[54_500:55_500],
        "edge": planted[53_000:54_200],
        "genes": plain[54_000:56_500],
    }
    assert list(gate.passed(list(pieces), list(pieces.values()))) == [True, False, False, True]


def test_a_hazard_that_would_cover_the_panel_is_refused(tmp_path):
    with pytest.raises(InputError, match="a hazard of 5900 bases and room for"):
        genome(tmp_path, hazard_bp=5900)
