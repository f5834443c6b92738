"""What intervals and verdicts promise: coverage and false "beats" over simulated draws, each line a share.

    python benchmark/benchmark_verdict.py [--draws 400]

The simulations are those of the tests (tests/unit/statistics). Nominal 95 % intervals are to hold in 92 to 98 % of draws;
a run that knows nothing beats in at most 5 %. Beside ours: resampling tiles alone, or genes alone, as is usual.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "unit" / "statistics"))

from glmflow.statistics.resampling import CORRELATION, interval
from test_decision import NULLS, share_that_beats, true_signal
from test_resampling import KINDS


def main() -> int:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400, help="default: 400")
    draws = parser.parse_args().draws
    print(f"# {draws} draws each; the standard error of 95 % is {100 * np.sqrt(0.95 * 0.05 / draws):.1f} %")
    print("intervals that hold", "both ways", "one way alone", "mean width", sep="\t")
    for name, simulate in KINDS.items():
        found = [simulate(np.random.default_rng(draw)) for draw in range(draws)]
        both = [interval([score], CORRELATION) for score, _ in found]
        one = [interval([score._replace(influence=score.influence.sum(axis=1, keepdims=True))]) for score, _ in found]
        shares = [np.mean([e.low <= t <= e.high for e, (_, t) in zip(each, found)]) for each in (both, one)]
        width = np.mean([estimate.high - estimate.low for estimate in both])
        other = "–" if found[0][0].influence.shape[1] == 1 else f"{shares[1]:.1%}"
        print(name, f"{shares[0]:.1%}", other, f"{width:.3f}", sep="\t", flush=True)
    print("false beats", "share", sep="\t")
    for name, simulate in NULLS.items():
        start = time.process_time()
        share = share_that_beats(simulate, draws)
        print(
            name, f"{share:.1%}", f"{(time.process_time() - start) / draws * 1000:.0f} ms a draw", sep="\t", flush=True
        )
    print("true signal that beats", f"{share_that_beats(lambda rng: true_signal(rng, 0.6), draws):.1%}", sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
