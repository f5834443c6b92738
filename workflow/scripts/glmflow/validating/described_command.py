"""`glmflow described`: bits of DNA saved by its text, with controls, of a model that reads both."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from glmflow.errors import InputError


def add_described_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `described` to the commands."""
    parser = subparsers.add_parser(
        "described",
        description="Score the DNA of held-out pairs behind its text, behind none, and behind controls (organism alone, own words "
        "shuffled, text of another feature): bits per base, what each saves, and the rank of the true text among others. "
        "Intervals are over clusters of alike features. Writes a page beside the table.",
    )
    parser.add_argument("--model", type=Path, required=True, help="model that was pretrained with `pairs`")
    parser.add_argument("--pairs", type=Path, required=True, help="file that `glmflow pairs` wrote")
    parser.add_argument("--split", default="test", help="split that is scored (default: test)")
    parser.add_argument("--output", type=Path, required=True, help="table (tab-separated, or NAME.parquet)")
    parser.add_argument("--candidates", type=int, default=100, help="texts to choose the true one from (default: 100)")
    parser.add_argument("--retrieved", type=int, default=50, help="sequences whose text is looked for (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="of all draws (default: 1)")
    parser.set_defaults(run=run_described)


def run_described(arguments: argparse.Namespace) -> int:
    """Write the table and say it; return the exit code."""
    import pandas as pd
    import torch

    from glmflow.corpus.pair_lines import held_out, read_pairs
    from glmflow.corpus.text_controls import TEXTS, among, asked_features, costs_behind_texts
    from glmflow.files import write_table
    from glmflow.models import load_model
    from glmflow.models.byte_text import bases_of_row, require_text
    from glmflow.models.costs_behind_text import nats_behind
    from glmflow.models.model_commands import model_folder
    from glmflow.report.described_page import write_described_page
    from glmflow.statistics.saved_bits import retrieval, saved_bits

    if arguments.candidates < 2 or arguments.retrieved < 1:
        raise InputError("--candidates is less than 2, or --retrieved less than 1", fix="Leave them out.")
    folder = model_folder(arguments.model)
    model = load_model(folder)
    length = require_text(model.origin, folder)
    pairs = held_out(read_pairs(arguments.pairs), arguments.split, arguments.pairs)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    features = asked_features(pairs, arguments.seed, bases_of_row(length))
    candidates = min(arguments.candidates, features["text"].nunique())
    features["among"] = among(features, candidates, arguments.retrieved, arguments.seed)
    costs = costs_behind_texts(features, lambda asked: nats_behind(model, asked))
    nats = costs[[f"prediction_{key}" for key in TEXTS]]
    bits = saved_bits(list(TEXTS.values()), nats, costs["bases"], features["group"], seed=arguments.seed)
    asked = costs.dropna(subset=["rank"])
    table = pd.concat([bits, retrieval(asked["rank"], asked["first"], candidates)], ignore_index=True)
    write_table(table, arguments.output)
    facts = {"model": str(folder), "pairs": str(arguments.pairs), "split": arguments.split}
    facts |= {"texts to choose from": str(candidates), "seed": str(arguments.seed)}
    page = write_described_page(table, facts, arguments.output.with_suffix(".html"))
    for row in table.itertuples(index=False):
        text = row.text or "no text"
        print(f"{row.what}: {text}: {row.value:.4f} [{row.low:.4f}, {row.high:.4f}], n = {row.n}")
    print(f"{page}: the page", file=sys.stderr)
    return 0
