"""`glmflow score snp2gex`: an upload against `partitions.csv`, by either protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from .official import ClassScore

NAMED = 10


def add_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `snp2gex` to the tasks that `glmflow score` knows."""
    parser = subparsers.add_parser(
        "snp2gex",
        help="personal expression or promoter activity (DNA-AI hackathon, task 1)",
        description="Score predicted expression or promoter activity of genes in samples. `official` is the hackathon's "
        "scorer with its faults; `strict` counts constant genes as 0, names them, and requires every row.",
    )
    parser.add_argument("--partitions", required=True, metavar="partitions.csv", help="what was measured, with labels")
    parser.add_argument("--predictions", required=True, metavar="submission.csv", help="sample,gene,log_TPM")
    parser.add_argument("--protocol", choices=("official", "strict"), default="strict")
    parser.add_argument("--target", help="column that is scored (default: the one the predictions hold)")
    parser.add_argument("--output", required=True, metavar="metrics.tsv", help="table to write")
    parser.set_defaults(run=_score)


def _score(arguments: argparse.Namespace) -> int:
    """Score, write the table, and print the scores with what must be known beside them."""
    from glmflow.files import write_table

    from .official import official_scores
    from .strict import strict_scores
    from .submission import read_partitions, read_submission

    submission, target = read_submission(arguments.predictions, arguments.target)
    partitions = read_partitions(arguments.partitions, target)
    if arguments.protocol == "official":
        scores = official_scores(partitions, submission, target)
    else:
        scores, constant, notes = strict_scores(partitions, submission, target)
        for note in notes:
            print(note)
        for label, genes in constant.items():
            if genes:
                more = f" and {len(genes) - NAMED:,} more" if len(genes) > NAMED else ""
                print(f"{label}: {len(genes):,} constant genes count as 0: {', '.join(genes[:NAMED])}{more}")
    for score in scores:
        print(
            f"{score.label}: cross-gene {score.cross_gene:.5f}, cross-individual {score.cross_individual:.5f}, "
            f"MAE {score.mae:.5f} ({score.people:,} samples, {score.genes:,} genes)"
        )
    write_table(table_of(scores, target, arguments.protocol, Path(arguments.predictions).stem), arguments.output)
    return 0


def table_of(scores: Iterable[ClassScore], target: str, protocol: str, model: str) -> pd.DataFrame:
    """Return scores by class as a metrics table."""
    from glmflow.tasks.tables import metric_row, metrics_table

    rows = [
        metric_row(metric, getattr(score, field), n, subset=score.label)
        for score in scores
        for metric, field, n in (
            ("cross_gene_pearson", "cross_gene", score.people),
            ("cross_individual_pearson", "cross_individual", score.genes),
            ("mae", "mae", score.pairs),
        )
    ]
    common = {"study": "snp2gex", "task": "snp2gex", "model": model, "adaptation": "submission", "seed": 0}
    return metrics_table(rows, **common, split="test", track=target, context_bp=None, protocol=protocol)
