"""Report page of kind `generation`: what models draw beside held-out real sequences and controls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from glmflow.files import read_table
from glmflow.report.audit_card import audit_card
from glmflow.report.base_squares import base_square
from glmflow.report.data_uris import data_uri
from glmflow.report.likeness_charts import (
    MARKOV_5,
    REAL,
    K,
    along_chart,
    along_rows,
    copies_chart,
    games_chart,
    levels,
    walks_chart,
    words_of,
)
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.run_folder import RunFolder
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("codon_js", "js_6")
LINK = "Generation"
LEVELS = {
    "sequences": Level(
        "Per sequence",
        "",
        "Over pieces of the generated sequences of one way of drawing; sequences are units.",
        "pieces",
    )
}
FAR = "bits; 0 is equal, and two real samples differ too: the page has the floor. A copy of real sequences is near as well."
METRICS = {
    "codon_js": Words(
        "codons: distance from real",
        "lower",
        "sequences",
        f"Jensen-Shannon divergence of the codons of predicted genes from those of held-out real pieces (n pieces), {FAR}",
    ),
    "js_6": Words(
        "6-mers: distance from real",
        "lower",
        "sequences",
        f"Jensen-Shannon divergence of 6-mers from those of held-out real pieces (n pieces), {FAR} A Markov-5 chain is as near.",
    ),
    "delta": Words(
        "dinucleotides: distance from real",
        "lower",
        "sequences",
        "Mean difference of the odds of dinucleotides, both strands, from real pieces (n). 0 is equal; a shuffle that keeps "
        "dinucleotides is as near.",
    ),
    "differing": Words(
        "statistics that differ",
        "lower",
        "sequences",
        "How many statistics tell these sequences from real ones, of those (n) that tell a Markov-5 chain from real ones.",
    ),
    "copied": Words(
        "copies of training",
        "lower",
        "sequences",
        "Share of the pieces (n) with a longer exact match to training, either strand, than 99 % of held-out real pieces.",
    ),
    "tag_recovered": Words(
        "tag recovered",
        "higher",
        "sequences",
        "Share of the pieces drawn by a tag (n) that their 5-mers assign to it, among the tags of training; the page has the "
        "share of held-out real ones.",
    ),
    "bases_recovered": Words(
        "bases recovered",
        "higher",
        "sequences",
        "Share of the 30 bases that really follow a prompt which were drawn in their places (n prompts); the page has what chains "
        "of training recover, and 25 % is chance where bases are equally frequent.",
    ),
    "released": Words(
        "released by the gate", "none", "sequences", "Share of the sequences (n) that the gate let through."
    ),
    "coding": Words(
        "coding share",
        "none",
        "sequences",
        "Share of bases in genes that Prodigal finds; real sequences have their own.",
    ),
    "gene_length": Words("length of genes", "none", "sequences", "Mean length in nt of the genes that Prodigal finds."),
    "frame_length": Words(
        "length of open frames", "none", "sequences", "Mean length in nt of frames of 90 nt and more."
    ),
    "frames_per_kb": Words("open frames per kb", "none", "sequences", "Frames of 90 nt and more per 1,000 bases."),
    "genes_per_kb": Words("genes per kb", "none", "sequences", "Genes per 1,000 bases."),
    "strand_switches": Words(
        "strand switches", "none", "sequences", "Share of neighbouring genes that lie on different strands."
    ),
    "gc": Words("G + C", "none", "sequences", "Share of G and C."),
    "order5_bits": Words(
        "bits per base, order-5 chain", "none", "sequences", "What a base costs under an order-5 chain of training."
    ),
    "compressor_bits": Words(
        "bits per base, compressor",
        "none",
        "sequences",
        "What a base costs under a mixture of context models that learned from training.",
    ),
    "judge_bits": Words(
        "bits per base, other model",
        "none",
        "sequences",
        "What a base costs under the judge, a language model that drew none of the sequences; real ones have their own.",
    ),
    "frechet": Words(
        "distance of embeddings",
        "lower",
        "sequences",
        "Fréchet distance of the states that a fixed model has of pieces (n) from those it has of real ones, in units of the "
        "variance of real ones; 0 is equal.",
    ),
    "motif_jaccard": Words(
        "motifs in common",
        "higher",
        "sequences",
        "Jaccard index of the share of pieces (n) that each motif has a site in, with that of real pieces; 1 is equal.",
    ),
    "family_share": Words(
        "proteins in a family",
        "none",
        "sequences",
        "Share of the proteins of predicted genes that have a hit to any of the profile HMMs; real sequences have their own.",
    ),
    "family_hits": Words(
        "hits to families per kb", "none", "sequences", "Hits of these proteins to the profile HMMs per 1,000 bases."
    ),
    "families": Words("families found", "none", "sequences", "Profile HMMs that have a hit in the pieces (n)."),
    "families_held": Words(
        "real families held",
        "higher",
        "sequences",
        "Share of the profile HMMs with a hit in the real reference that have one in the pieces (n).",
    ),
    "family_use": Words(
        "use of families in common",
        "higher",
        "sequences",
        "What the hits per base of each profile HMM have in common with those of real pieces; 1 is equal.",
    ),
    "walk_distance": Words(
        "distance of walks",
        "none",
        "sequences",
        "Mean distance of walks from those of real pieces, by the root of the length.",
    ),
    "start_atg": Words("starts with ATG", "none", "sequences", "Share of predicted genes that start with ATG."),
    "stop_taa": Words("stops with TAA", "none", "sequences", "Share of predicted genes that stop with TAA."),
    "real_held": Words(
        "real 21-mers held", "none", "sequences", "Share of the real reference's 21-mers that these hold."
    ),
    "jaccard_real": Words(
        "Jaccard index of 21-mers", "none", "sequences", "21-mers in common with the real reference, over all of both."
    ),
    "ani_real": Words(
        "identity by 21-mers", "none", "sequences", "Identity with real sequences that the share of 21-mers implies."
    ),
    "longest_match": Words(
        "longest match to training", "none", "sequences", "Mean over pieces of the longest exact match, bases."
    ),
    "covered_32": Words(
        "in matches of 32", "none", "sequences", "Share of bases in exact matches of 32 and more to training."
    ),
    "covered_50": Words(
        "in matches of 50", "none", "sequences", "Share of bases in exact matches of 50 and more to training."
    ),
    "in_training": Words("21-mers of training", "none", "sequences", "Share of 21-mers that training sequences hold."),
    "in_real": Words("21-mers of real", "none", "sequences", "Share of 21-mers that held-out real sequences hold."),
    "shared": Words(
        "21-mers shared within", "none", "sequences", "Share of 21-mers that another piece holds: 0 is diverse."
    ),
    "low_complexity": Words(
        "low complexity", "none", "sequences", "Share of windows of 64 bases with a DUST score above 2."
    ),
    **{
        f"js_{k}": Words(
            f"{k}-mers: distance from real", "lower", "sequences", f"Divergence of {k}-mers from real ones, bits."
        )
        for k in range(1, 6)
    },
    **{
        f"entropy_{k}": Words(f"entropy of {k}-mers", "none", "sequences", f"Entropy of the {k}-mers, bits.")
        for k in (1, 2, 3, 6)
    },
}
GENERATED = "generated"
SHOWN = 20
"""Rows of the table of copies."""


def page(study: Study, task: str) -> str | None:
    """Return the page of a task: findings of each model first, then statistics beside real sequences and controls, and copies."""
    runs = [run for run in study.runs(task) if (run.folder / "scores" / "findings.tsv").exists()]
    if not runs:
        return None
    several = len({run.seed for run in runs}) > 1
    tables = {
        name: _together(runs, name, several)
        for name in ("findings", "validation", "memorisation", "games", "walks", "along", "squares")
    }
    # What is drawn behind a part of the prompts is among what is drawn behind all: pictures and copies are shown once.
    tables |= {name: of_whole_ways(tables[name]) for name in ("memorisation", "games", "walks")}
    values, copies, games = tables["validation"], tables["memorisation"], tables["games"]
    drawn = list(dict.fromkeys(values["group"][values["drawn"]])) if len(values) else []
    groups = [*drawn, *(name for name in dict.fromkeys(values["group"]) if name not in drawn)] if len(values) else []
    shown = [*(name for name in drawn if name in set(games["group"])), REAL, MARKOV_5]
    threshold = float(copies["threshold"].iloc[0]) if len(copies) else 0.0
    sets = {"games": words_of(games), "walks": tables["walks"], "copies": copies} if drawn else {}
    charts = (
        {"games": games_chart(shown), "walks": walks_chart(shown), "copies": copies_chart(threshold)} if drawn else {}
    )
    along = tables["along"]
    if len(along):
        sets["along"] = along
        followed = [*(group for group in dict.fromkeys(along["group"]) if group != REAL), REAL]
        charts["along"] = along_chart(followed, list(dict.fromkeys(along["statistic"])))
    found = tables["findings"]
    return render(
        "generation.html",
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        findings=[
            {"group": group, "said": own["finding"].tolist()} for group, own in found.groupby("group", sort=False)
        ],
        gate=gate_rows(runs, several),
        tags=tag_rows(runs, several),
        recovered=recovered_rows(runs, several),
        groups=groups,
        levels=levels(values, groups) if drawn else [],
        along=along_rows(along) if len(along) else [],
        squares=square_rows(tables["squares"]),
        piece=runs[0].task_settings.get("piece") or runs[0].task_settings["length"],
        count=int(values["n"].min()) if drawn else 0,
        copies=copies.sort_values("longest", ascending=False).head(SHOWN).to_dict("records") if drawn else [],
        threshold=threshold,
        k=K,
        card=audit_card(study, task),
        vega=vega(),
        data=embed({"charts": charts, "datasets": {name: records(table) for name, table in sets.items()}}),
    )


def _together(runs: Sequence[RunFolder], name: str, several: bool) -> pd.DataFrame:
    """Return a table of all runs; generated groups are called by model and way, real ones and controls stand once."""
    tables, known = [], set()
    for run in runs:
        path = run.folder / "scores" / f"{name}.tsv"
        for way, own in read_table(path).groupby("way", sort=False) if path.exists() else ():
            label = called(run, str(way), several)
            if "group" not in own:
                tables.append(own.assign(group=label))
                continue
            mine = own["group"] == GENERATED
            # Controls are the same for all: those of the first run stand for them.
            tables.append(
                own[mine | ~own["group"].isin(known)].assign(drawn=mine, group=own["group"].mask(mine, label))
            )
            known |= set(own["group"][~mine])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def of_whole_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of whole ways of drawing, without those of a part of the prompts."""
    return table[~table["way"].str.contains(", ", regex=False)] if len(table) else table


def called(run: RunFolder, way: str, several: bool) -> str:
    """Return what the sequences of a run are called: model, way of drawing, and seed where there are several."""
    ways = run.task_settings.get("ways") or {}
    name, _, part = way.partition(", ")  # a part of the prompts: those without a near copy in training
    said = [name.replace("_", " ")] if len(ways) > 1 else []
    return ", ".join(
        [run.model, *said, *([part.replace("_", " ")] if part else []), *([f"seed {run.seed}"] if several else [])]
    )


def gate_rows(runs: Sequence[RunFolder], several: bool) -> list[dict[str, str]]:
    """Return what the gate let through and what it blocked, a row a model and way."""
    rows = []
    for run in runs:
        for path in sorted((run.folder / "predicted").glob("*/generation.json")):
            record = json.loads(path.read_text())
            gate, counts = record["gate"], record["counts"]
            chance = record.get("blocked_of_random")
            reason = f"not screened: {gate['acknowledged']}" if gate["acknowledged"] else "screened"
            rows.append(
                {
                    "drawn by": called(run, path.parent.name, several),
                    "drawn": f"{counts['drawn']:,}",
                    "blocked": f"{counts['blocked']:,}",
                    "released": f"{counts['released']:,}",
                    "screen": reason + (", with alignment" if gate["aligned"] else ""),
                    "blocked of random": "" if chance is None else f"{chance:.0%}",
                    "last entry of the log": record["audit_head"][:12],
                }
            )
    return rows


def tag_rows(runs: Sequence[RunFolder], several: bool) -> list[dict[str, str]]:
    """Return how often what was drawn by a tag is assigned to it, and what is to be held beside it, a row a group."""
    rows = []
    for run in runs:
        path = run.folder / "scores" / "tags.tsv"
        for row in read_table(path).itertuples() if path.exists() else ():
            rows.append(
                {
                    "drawn by": called(run, row.way, several),
                    "tag": row.tag,
                    "among": f"{row.tags} of {row.column}",
                    "pieces": row.group,
                    "assigned to the tag": f"{row.recovered:.0%} [{row.low:.0%}, {row.high:.0%}]",
                    "n": str(row.n),
                }
            )
    return rows


def square_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the squares of each group, with their side and as PNG in data URIs."""
    return [
        {
            "group": group,
            "side": int(own["side"].iloc[0]),
            "uris": [data_uri(base_square(row.bases, row.side), "image/png") for row in own.itertuples()],
        }
        for group, own in (table.groupby("group", sort=False) if len(table) else ())
    ]


def recovered_rows(runs: Sequence[RunFolder], several: bool) -> list[dict[str, str]]:
    """Return what was recovered of the bases behind prompts, and what chains of training recover, a row a group."""
    rows = []
    for run in runs:
        path = run.folder / "scores" / "recovered.tsv"
        for row in read_table(path).itertuples() if path.exists() else ():
            beyond = (
                f"{row.beyond:+.1%} [{row.beyond_low:+.1%}, {row.beyond_high:+.1%}]" if pd.notna(row.beyond) else ""
            )
            rows.append(
                {
                    "drawn by": called(run, row.way, several),
                    "bases of": row.group,
                    "recovered": f"{row.recovered:.1%} [{row.low:.1%}, {row.high:.1%}]",
                    "drawn beyond it": beyond.replace("-", "−"),
                    "prompts": f"{row.n:,}",
                    "bases": str(row.bases),
                }
            )
    return rows


def warnings(study: Study, tasks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what has to be known of the gate: that nothing was screened, and the reason that was given."""
    for task in tasks:
        reasons = {(run.task_settings.get("gate") or {}).get("acknowledged") for run in study.runs(task)}
        for reason in sorted(filter(None, reasons)):
            yield task, f"generated sequences were not screened; the reason given: {reason}"
