"""Scores of the binding of TFs at the size of the hackathon's task 2, in memory and processor time, and the scan for motifs.

    python benchmark/benchmark_binding.py [--keys 734] [--regions 67374] [--whole-run] [--megabases 4]

(1) A run of 4 test keys x 14,793 regions (a trial of the hackathon: chr22), scored as the workflow does: all metrics, intervals,
the hackathon's own scorer. (2) What `glmflow score` computes of the whole matrix, 734 keys x 67,374 regions, in float16. (3) With
`--whole-run`, a run of the whole matrix, where every key is a test key in every region: some ten minutes. Each is a process
of its own; memory is its peak, libraries included. Labels are drawn, 4 % bound, and predictions follow them loosely. (4)
What `benchmark_motifs.py` prints.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import apart

CELLS, TFS = 19, 312
BOUND = 0.04
SPACING = 3300
"""Bases between regions, so that there are about as many blocks of 1 Mb as on chr19 to chr22."""
DRAWS = 200
"""Bootstrap draws, as by default."""


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=734)
    parser.add_argument("--regions", type=int, default=67_374)
    parser.add_argument("--whole-run", action="store_true")
    parser.add_argument("--megabases", type=float, default=4, help="of the scan for motifs")
    arguments = parser.parse_args()
    print("what", "CPU seconds", "peak MB", sep="\t")
    whole = arguments.keys, arguments.regions
    measures = [
        ("a run, {} keys x {} regions", score_run, (4, 14_793)),
        ("glmflow score, float16, {} keys x {} regions", score_matrix, whole),
    ]
    if arguments.whole_run:
        measures.append(("a run, {} keys x {} regions", score_run, whole))
    for what, call, shape in measures:
        with tempfile.TemporaryDirectory() as temporary:
            seconds, _, megabytes = apart(second_part, call, Path(temporary), *shape)
        print(what.format(*(f"{size:,}" for size in shape)), f"{seconds:.2f}", f"{megabytes:.0f}", sep="\t", flush=True)
    motifs = Path(__file__).with_name("benchmark_motifs.py")
    return subprocess.run([sys.executable, motifs, "--megabases", str(arguments.megabases)]).returncode


def keys_of(count: int) -> pd.DataFrame:
    """Return keys: cells x TFs, drawn."""
    rng = np.random.default_rng(1)
    chosen = np.sort(rng.choice(CELLS * TFS, count, replace=False))
    cell, tf = (np.char.add(name, part.astype(str)) for name, part in zip(("cell", "TF"), np.divmod(chosen, TFS)))
    table = pd.DataFrame({"cell": cell, "tf": tf})
    return table.assign(key=table["cell"] + "_" + table["tf"])


def labels_of(keys: int, regions: int) -> np.ndarray:
    """Return labels, bool `[keys, regions]`."""
    return np.random.default_rng(2).random((keys, regions), np.float32) < BOUND


def predicted_of(labels: np.ndarray, kind: type) -> np.ndarray:
    """Return probabilities that follow labels loosely, a key at a time, so that little memory is taken beside them."""
    rng, found = np.random.default_rng(3), np.empty(labels.shape, kind)
    for row, own in zip(found, labels):
        row[:] = 1 / (1 + np.exp(3 - 1.5 * own - rng.normal(size=len(own))))
    return found


def score_run(folder: Path, keys: int, regions: int) -> Callable[[], object]:
    """Write the tables of a run, and return what scores it."""
    from glmflow.files import write_table
    from glmflow.tasks.seq2cellxtf import score

    table = keys_of(keys)
    table = table.assign(split="test", kind="c", relation="", family=table["tf"], cluster=table["tf"])
    write_table(table.assign(cell_features_of=table["cell"], tf_features_of=table["tf"]), folder / "keys.tsv")
    write_table(pd.DataFrame({"tf": sorted(set(table["tf"]))}), folder / "tfs.tsv")
    start = np.arange(regions) * SPACING
    names = [f"chr22:{at}-{at + 400}" for at in start]
    examples = pd.DataFrame({"example": names, "chrom": "chr22", "start": start, "end": start + 400, "split": "test"})
    examples = examples.assign(group=[f"chr22:{at // 1_000_000}" for at in start], gc=0.5)
    labels = labels_of(keys, regions)
    key, region = np.nonzero(labels)
    write_table(
        pd.DataFrame({"key": key.astype(np.int32), "region": region.astype(np.int32)}), folder / "labels.parquet"
    )
    columns = dict(zip([f"prediction_{name}" for name in table["key"]], predicted_of(labels, np.float32)))
    write_table(pd.DataFrame({"example": names, **columns}), folder / "predictions.parquet")
    settings = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    settings |= {"task": {"kind": "seq2cellxtf", "bootstrap": DRAWS, "length": 1000}}

    def scored() -> object:
        predictions = pd.read_parquet(folder / "predictions.parquet")
        return score(settings, examples, predictions, folder, {"tables": str(folder)})

    return scored


def score_matrix(folder: Path, keys: int, regions: int) -> Callable[[], object]:
    """Return what scores a matrix in float16."""
    from glmflow.tasks.seq2cellxtf.strict_binding import scores_of

    labels = labels_of(keys, regions)
    np.save(folder / "predicted.npy", predicted_of(labels, np.float16))
    predicted = np.load(folder / "predicted.npy", mmap_mode="r")
    return lambda: scores_of(keys_of(keys)["key"].tolist(), labels, predicted)


def second_part(call: Callable, *arguments: object) -> float:
    """Return CPU seconds of what a function returns; making the data is left out."""
    work = call(*arguments)
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    raise SystemExit(main())
