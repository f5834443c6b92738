"""What training with a carried state is worth (`pretrain.carry_state_bp`) where what decides a base lies beyond the window.

    python benchmark/benchmark_carried.py [--family rwkv7] [--steps 600] [--seed 1]

A planted corpus: records of random A and T in which, every 10 to 42 bases, C stands and behind it a base that is the record's
own. The first time it is any of four; later it is what it was, which a window of 32 bases seldom holds. The same model is trained
twice on as many bases, with and without the state of the window before, and held-out records are scored as streams: with the
state carried from the first base, and with one that starts again every 32 bases. A line a model: bits per base of both. The
source itself costs `floor` where all that lies before is known.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
import time
from pathlib import Path

import numpy as np

WINDOW, CARRIED, RECORD = 32, 2048, 2048
GAPS = (8, 41)
"""Random bases between two places that follow from one another: at least, and below."""
MODEL = {"rwkv7": {"hidden_size": 32, "num_layers": 1, "head_size": 16}, "mamba": {"hidden_size": 32, "num_layers": 2}}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=sorted(MODEL), default="rwkv7", help="default: rwkv7")
    parser.add_argument("--steps", type=int, default=600, help="updates of 32 windows (default: 600)")
    parser.add_argument("--seed", type=int, default=1, help="of corpus, weights and draws (default: 1)")
    arguments = parser.parse_args()
    from glmflow.apply.stream_bits import stream_bits
    from glmflow.corpus.corpus_build import build
    from glmflow.models import load_model
    from glmflow.training.pretrain import pretrain
    from glmflow.training.pretraining_source import CorpusSource

    logging.disable(logging.WARNING)
    rng = np.random.default_rng(arguments.seed)
    held_out = [record(rng)[0] for _ in range(24)]
    print(f"floor: {np.mean([record(rng)[1] for _ in range(2000)]):.4f} bits per base", flush=True)
    print("trained", "scored carried", f"scored restarted every {WINDOW}", "CPU s", sep="\t", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.fa").write_text("".join(f">r{n}\n{record(rng)[0]}\n" for n in range(400)))
        split = {"by": "contig", "validation": 0, "test": 0}
        build({"sources": [{"path": str(folder / "a.fa")}], "split": split}, folder / "corpus")
        for said, carried in (("without", None), ("with", CARRIED)):
            settings = {
                "corpus": "corpus",
                "family": arguments.family,
                "config": MODEL[arguments.family],
                "length": WINDOW,
                "steps": arguments.steps,
                "batch": 32,
                "learning_rate": 5e-3,
                "strand": "forward",
                "carry_state_bp": carried,
            }
            started = time.process_time()
            source = CorpusSource(folder / "corpus", both_strands=False)
            with contextlib.redirect_stdout(io.StringIO()):  # the losses of updates
                pretrain(settings, source, arguments.seed, folder / said / "training", folder / said / "model")
            seconds = time.process_time() - started
            model = load_model(folder / said / "model").eval()
            whole = [stream_bits(model, [text.encode()], WINDOW)[-1] for text in held_out]
            bits = (np.mean([one.carried for one in whole]), np.mean([one.restarted for one in whole]))
            print(f"{said} carried state", *(f"{one:.4f}" for one in bits), f"{seconds:.0f}", sep="\t", flush=True)
    return 0


def record(rng: np.random.Generator) -> tuple[str, float]:
    """Return a record and what a base of it costs who knows how it is made and has read all before, in bits."""
    own, text, bits = str(rng.choice(list("ACGT"))), "", 2.0
    while len(text) < RECORD:
        gap = int(rng.integers(*GAPS))
        text += "".join(rng.choice(list("AT"), gap)) + "C" + own
        # Where a gap ends is known at its longest; before, each base is A, T or the end by what is left of the range.
        bits += gap + np.log2(GAPS[1] - GAPS[0])
    return text, bits / len(text)


if __name__ == "__main__":
    raise SystemExit(main())
