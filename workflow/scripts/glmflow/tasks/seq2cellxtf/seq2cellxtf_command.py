"""`glmflow score seq2cellxtf`: an upload of predicted binding against the truth, by either protocol."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `seq2cellxtf` to the tasks that `glmflow score` knows."""
    parser = subparsers.add_parser(
        "seq2cellxtf",
        help="binding of TFs to regions in cells (DNA-AI hackathon, task 2)",
        description="Score predicted binding, a CSV of keys (cell_TF) x regions. `official` is the hackathon's scorer with its "
        "faults; `strict` requires every key and region, and counts cells and TFs that are told apart.",
    )
    parser.add_argument("--truth", required=True, metavar="truth.csv", help="labels, keys x regions")
    parser.add_argument("--predictions", required=True, metavar="upload.csv", help="predictions, keys x regions")
    parser.add_argument("--protocol", choices=("official", "strict"), default="strict")
    parser.add_argument(
        "--partial",
        action="store_true",
        help="score what is missing as ties at the lowest prediction of its key (strict)",
    )
    parser.add_argument("--output", required=True, metavar="metrics.tsv", help="table to write")
    parser.set_defaults(run=_score)


def _score(arguments: argparse.Namespace) -> int:
    """Score, write the table, and print the scores with what must be known beside them."""
    from glmflow.binding.binding_matrix import read_matrix
    from glmflow.files import write_table
    from glmflow.tasks.tables import metric_row, metrics_table

    from .official_binding import official_scores
    from .strict_binding import strict_scores

    truth, upload = read_matrix(arguments.truth), read_matrix(arguments.predictions)
    if arguments.protocol == "official":
        rows = [metric_row(name, value) for name, value in official_scores(truth, upload).items()]
    else:
        found = strict_scores(truth, upload, arguments.partial)
        print(f"{len(found.rows):,} keys of both classes; {100 * found.covered:.1f} % of the values were uploaded")
        if found.excluded:
            print(f"{len(found.excluded):,} keys of one class are not scored: {', '.join(found.excluded)}")
        rows = [metric_row(name, value, len(found.rows)) for name, value in found.mean.items()]
        rows += [
            metric_row(f"column_{name}", getattr(found.columns, name), found.columns.n) for name in ("auroc", "auprc")
        ]
        rows += [metric_row("cell_concordance", *found.cells), metric_row("tf_concordance", *found.tfs)]
    for row in rows:
        print(f"{row['metric']}: {row['value']:.5f}")
    common = {"study": "seq2cellxtf", "task": "seq2cellxtf", "model": Path(arguments.predictions).stem, "seed": 0}
    table = metrics_table(rows, **common, adaptation="submission", split="test", protocol=arguments.protocol)
    write_table(table, arguments.output)
    return 0
