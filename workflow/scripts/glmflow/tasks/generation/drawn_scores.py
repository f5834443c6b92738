"""How generated sequences differ from held-out real ones: statistics, copies of training, and what comparisons need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.training_part import TrainingPart, part_texts, training_part
from glmflow.likeness.along_length import along_length, whole_sequences
from glmflow.likeness.compared_groups import Likeness, beside_real
from glmflow.likeness.control_groups import MARKOV_5
from glmflow.likeness.group_values import GENERATED
from glmflow.likeness.pieces import cut
from glmflow.likeness.sequence_facts import STATISTICS, Background, Facts, Statistic, compared
from glmflow.likeness.stored_groups import read_real
from glmflow.likeness.told_tables import ToldTables
from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.influence import of_weights
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell, with_intervals
from glmflow.tasks.tables import CLEAN, Scored, clean_part, metric_row, metrics_table, run_keys

from .drawn_squares import squares
from .recovered_bases import Chains, recovery_finding, recovery_rows, recovery_table
from .tag_scores import tag_findings, tag_table

COMPARED = ("codon_js", "js_6", "delta")
"""Statistics that runs are compared by, where there are genes the first: distances from real sequences, 0 is equal."""


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Set what was released beside real sequences, each way of drawing by itself (`subset`), and without prompts that are copies.

    Returns
    -------
    Scored
        Every statistic of `glmflow.likeness.sequence_facts`; ``released`` (share that passed the gate), ``differing``
        (of the `n` statistics that tell a Markov-5 chain from real sequences, how many tell these), ``copied`` (share of
        the pieces with a longer match to training than 99 % of real ones), ``tag_recovered`` (`tag_scores`) and
        ``bases_recovered`` (share of the bases that really follow a prompt, `recovered_bases`). The tables ``validation``,
        ``memorisation``, ``games``, ``walks``, ``along`` (whole sequences in ten parts), ``findings``, ``tags``,
        ``squares`` (windows, a base a pixel) and ``recovered`` have a column `way`.
    """
    task = Generation.model_validate(settings["task"])
    corpus = Corpus(Path(files["corpus"]).parent)
    training = training_part(corpus, task.most_training, task.piece_bp)
    told = ToldTables(map(Path, files["told"])) if task.judged else None
    real = read_real(Path(files["tables"]), training.texts, told)
    clean = clean_part(examples, "group")
    parts = [examples] if clean is None else [examples, clean.assign(subset=clean["subset"] + f", {CLEAN}")]
    asked = pd.concat(parts)
    # Examples of earlier versions do not say what follows a prompt.
    columns = [name for name in ("example", "subset", "group", "sequence", "following") if name in asked]
    joined = asked[columns].merge(predictions, on="example")
    rows, units, recovered = [], {}, []
    chains = Chains(training.texts)
    whole = examples[["example", "subset", "sequence"]].merge(
        predictions[predictions["verdict"] != "blocked"], on="example"
    )
    drawn = {way: own["prediction"].tolist() for way, own in whole.groupby("subset", sort=False)}
    tags = tag_table(task, corpus, drawn)
    source = part_texts(corpus, "test")
    along = {way: along_length(whole_sequences(texts, source, task.most, task.seed)) for way, texts in drawn.items()}
    tables: dict[str, list[pd.DataFrame]] = {"along": [own.assign(way=way) for way, own in along.items() if len(own)]}
    pictured = np.random.default_rng([task.seed, 19])
    for way, own in whole.groupby("subset", sort=False):
        windows = (own["sequence"] + own["prediction"]).tolist()
        tables.setdefault("squares", []).append(squares(str(way), windows, source, chains[5], pictured))
    for way, own in joined.groupby("subset", sort=False):
        keys = {"subset": way, "split": "test"}
        passed = own[own["verdict"] != "blocked"]
        rows.append(metric_row("released", len(passed) / len(own), n=len(own), **keys))
        if "following" in passed:
            own_rows = list(recovery_rows(str(way), passed, task.bootstrap, task.seed, chains))
            recovered += own_rows
            rows += [_recovered(row) | keys for row in own_rows[:1]]
        generator = np.random.default_rng([task.seed, settings["seed"]])
        records = list(zip(passed["example"], passed["prediction"]))
        found = beside_real(records, real, task.bootstrap, generator, task.seed)
        if found is None:
            said = [
                f"Fewer than three pieces were released ({len(passed):,} of {len(own):,} sequences): nothing to compare."
            ]
        else:
            said = [*found.findings, *_searched(training), *_told(found, task)]
            rows += [row | keys for row in _rows(found)]
            shown = {"validation": found.values, "memorisation": found.copies.assign(threshold=found.threshold)}
            for name, table in (shown | found.pictures._asdict()).items():
                tables.setdefault(name, []).append(table.assign(way=way))
            facts = _by_example(own, real.size, real.background, found.facts)
            names = own["example"].to_numpy(str)
            for statistic in STATISTICS:
                if statistic.name in COMPARED and statistic.fact in facts:
                    units[cell(statistic.name, subset=way, split="test")] = _stored(
                        statistic, facts, names, real.background.real
                    )
        tables.setdefault("findings", []).append(pd.DataFrame({"finding": said}).assign(way=way))
    known = recovery_table(recovered)
    for way, own in known.groupby("way", sort=False):
        tables["findings"].append(pd.DataFrame({"finding": [recovery_finding(own)]}).assign(way=way))
    if len(known):
        tables["recovered"] = [known]
    for way, own in tags.groupby("way", sort=False):
        tables["findings"].append(pd.DataFrame({"finding": list(tag_findings(own))}).assign(way=way))
        for row in own[own["group"] == GENERATED].itertuples():
            interval = Interval(row.recovered, row.low, row.high, row.n)
            rows.append(metric_row("tag_recovered", interval, subset=way, split="test"))
    if len(tags):
        tables["tags"] = [tags]
    metrics = metrics_table(rows, **run_keys(settings))
    joined_tables = {f"{name}.tsv": pd.concat(own, ignore_index=True) for name, own in tables.items() if own}
    order = sorted(units, key=lambda name: COMPARED.index(name.split("\t")[-1]))
    units = {name: units[name] for name in order}
    return Scored(with_intervals(metrics, units), joined_tables, units)


def _rows(found: Likeness) -> Iterator[dict[str, Any]]:
    """Yield the metrics of one way of drawing."""
    own = found.values[found.values["group"] == GENERATED]
    for row in own.itertuples():
        yield metric_row(row.statistic, Interval(row.value, row.ci_low, row.ci_high, row.n))
    decisive = own[[MARKOV_5 in detects.split("; ") for detects in own["detects"]]]
    yield metric_row("differing", float(decisive["differs"].sum()), n=len(decisive))
    yield metric_row("copied", float(found.copies["above"].mean()), n=len(found.copies))


def _searched(training: TrainingPart) -> Iterator[str]:
    """Yield how much of training copies were looked for in, where that is not all, in a sentence."""
    if training.left:
        yield (
            f"Copies were looked for in {training.used:,} of {training.bases:,} training bases "
            f"({training.used / training.bases:.0%}), spread over all sequences: of the others none is found (`most_training`)."
        )


def _recovered(row: Mapping[str, Any]) -> dict[str, Any]:
    return metric_row("bases_recovered", Interval(row["recovered"], row["low"], row["high"], row["n"]))


def _told(found: Likeness, task: Generation) -> Iterator[str]:
    """Yield what the judge, the embedding, the motifs and the profiles of the task have told, a sentence each."""
    own = found.values[found.values["group"] == GENERATED].set_index("statistic")
    sentences = {
        "judge_bits": f"Under {task.judge}, which drew none of them, a base costs {{}} bits",
        "frechet": f"The Fréchet distance of the states that {task.embed} has of them is {{}}",
        "motif_jaccard": f"The Jaccard index of the motifs of {Path(task.motifs or '').name} is {{}}",
        "family_share": f"The share of their proteins in a family of {Path(task.hmms or '').name} is {{}}",
        "families_held": f"The share of the families of {Path(task.hmms or '').name} in real ones that they hold is {{}}",
    }
    for statistic, sentence in sentences.items():
        if statistic in own.index and np.isfinite(own.loc[statistic, "value"]):
            row = own.loc[statistic]
            floor = f"real ones: {row['floor']:.3g} [{row['floor_low']:.3g}, {row['floor_high']:.3g}]"
            yield f"{sentence.format(format(row['value'], '.3g'))} ({floor})."


def _by_example(
    own: pd.DataFrame, size: int, background: Background, known: Mapping[int, Facts]
) -> dict[str, np.ndarray]:
    """Return the facts of each sequence that runs are compared by, its pieces put together, ``[sequences, m]``.

    Of a blocked sequence there is nothing but 0. `known` are those of the pieces that were measured before.
    """
    pieces = [cut([text], size) if text else [] for text in own["prediction"]]
    every = enumerate(piece for part in pieces for piece in part)
    facts = [known[place] if place in known else compared(piece, background)[0] for place, piece in every]
    places = np.repeat(np.arange(len(own)), [len(part) for part in pieces])
    found = {}
    for name in {one.fact for one in STATISTICS if one.name in COMPARED} & facts[0].keys():
        found[name] = np.zeros((len(own), len(facts[0][name])))
        np.add.at(found[name], places, np.array([one[name] for one in facts]))
    return found


def _stored(statistic: Statistic, facts: dict[str, np.ndarray], names: np.ndarray, real: Facts) -> Stored:
    """Return a distance from real sequences, with what each sequence adds to it."""
    rows = facts[statistic.fact]
    moved = of_weights(lambda weights: statistic.value(weights @ rows, real), len(rows))
    return Stored(moved, digest(names), higher=False, chance=None)
