"""An extended model of AIDO.DNA's shape never holds a matrix of all pairs of tokens."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmark" / "benchmark_context.py"


@pytest.mark.slow
def test_memory_grows_with_the_length_not_with_its_square():
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--kb", "8", "32"], capture_output=True, text=True, check=True, timeout=500
    )
    short, long = (float(line.split("\t")[2]) for line in done.stdout.splitlines()[1:])
    heads = runpy.run_path(str(BENCHMARK))["LAYER"]["num_attention_heads"]
    all_pairs = 4 * heads * 32_000**2 / 2**20
    assert re.match(r"tokens\t", done.stdout)
    assert long < 6 * short  # 4 times the length; the square would be 16 times
    assert long < all_pairs / 10
