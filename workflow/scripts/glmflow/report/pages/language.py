"""Report page of kind `language`: bits per base of models beside those of a compressor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import read_table
from glmflow.report.audit_card import audit_card
from glmflow.report.charts import Look, lines_with_intervals, tooltip
from glmflow.report.comparison_tables import own_table
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words, number

HEADLINE = ("bits_per_base", "masked_bits_per_base")
LINK = "Language"
LEVELS = {
    "bases": Level(
        "Per base",
        "",
        "Over the scored bases of the windows of the split; stretches of 10,000 bases are units.",
        "windows",
    )
}
METRICS = {
    "bits_per_base": Words(
        "bits per base",
        "lower",
        "bases",
        "Loss in bits per base over the scored bases of windows (n), whatever the tokens. Lower is better; 2 is chance where the "
        "four bases are equally frequent.",
    ),
    "masked_bits_per_base": Words(
        "masked bits per base",
        "lower",
        "bases",
        "What a masked model loses in bits per base, asked for every seventh base with both sides in view (n windows). Lower is "
        "better. It is no cost of a sequence and is compared with other masked models alone.",
    ),
    "bits_per_base_all_phases": Words(
        "bits per base, all readings",
        "lower",
        "bases",
        "Of a model of consecutive k-mers: bits per base over all k readings of the same windows (n), by where the first "
        "one begins.",
    ),
    "bits_per_base_best_phase": Words(
        "bits per base, best reading",
        "lower",
        "bases",
        "Of a model of consecutive k-mers: bits per base of that of the k readings which costs least over all windows (n).",
    ),
    "bits_of_context": Words(
        "bits of context",
        "higher",
        "bases",
        "Bits per base that are lost where the context beyond the shortest one is replaced by another window's (n windows): what "
        "the order of far bases is worth. 0 where it is not used.",
    ),
    "bits_per_doubling": Words(
        "bits saved by a doubling",
        "higher",
        "bases",
        "Bits per base that a context saves against the next shorter one, by how often it is twice as long: of the same bases of "
        "the same windows (n).",
    ),
    "bits_of_tag": Words(
        "bits of the tag",
        "higher",
        "bases",
        "Bits per base that are saved where the model is given what the sequence is (n windows). Protocol `other_tag`: "
        "something else is given, which should save nothing.",
    ),
    "parameters": Words(
        "parameters", "none", "bases", "Parameters of a model that was trained here, without embeddings."
    ),
    "training_bases": Words("training bases", "none", "bases", "Bases that it has seen, as often as it has seen them."),
    "bits_per_base_error": Words(
        "Monte-Carlo error",
        "lower",
        "bases",
        "Standard error, in bits per base, that the draws of masks leave (n windows). A model with this figure is one of masked "
        "diffusion, and its bits per base are bounds from above.",
    ),
}
TOLD = {"own_tag": "Its own tag", "other_tag": "Another one, as a control"}
"""What models with tags are told."""
SHOWN = 100
"""Rows of the table of what a corpus holds."""
COMPRESSOR = "context_mixture"
MARKS = {
    "composition": lambda block: block.get("kind") == "fixed_order" and block.get("order") == 0,
    "compressor": lambda block: block.get("kind") == COMPRESSOR,
    "source": lambda block: block.get("kind") == "true_source",
}
"""What every model is set beside, by the settings of its baseline."""
CHARTED = ["model", "context", "value", "ci_low", "ci_high", "seeds"]
"""Columns of the table behind the chart of contexts."""
SUBSETS = {
    "all": "all bases",
    "copies": "continue a copy",
    "new": "other bases",
    "soft_masked": "lower case",
    "unmasked": "upper case",
    "no_shared": "no match to training",
    "little_shared": "up to 5 % matches",
    "much_shared": "above 5 % matches",
    "no_near_copy": "no near copy in training",
}


def page(study: Study, task: str) -> str:
    """Return the page of a task: the sentence on the compressor first, then bits by context and stratum, and the audits."""
    table = study.rows(study.summary, task)
    table = table.assign(context=pd.to_numeric(table["context_bp"]))
    found = marked(study, task)
    plain = table[(table["metric"] == "bits_per_base") & (table["protocol"] == "strict")]
    return render(
        "language.html",
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        first=against_compressor(plain, found["compressor"]),
        marks=said_marks(plain, found),
        bounds=said_bounds(table[table["metric"] == "bits_per_base_error"]),
        both_sides=said_masked(table),
        verdict=study.verdict(task),
        contexts=by_context(beside_marks(plain[plain["subset"] == "all"], found)),
        strata=by_stratum(plain),
        gain_strata=by_stratum(table[table["metric"] == "bits_of_context"]),
        gains=by_context(table[(table["metric"] == "bits_of_context") & (table["subset"] == "all")]),
        doublings=by_context(table[(table["metric"] == "bits_per_doubling") & (table["subset"] == "all")]),
        doubling_strata=by_stratum(table[table["metric"] == "bits_per_doubling"]),
        context_laws=context_law_rows(study, task),
        tags={
            said: by_context(
                table[(table["metric"] == "bits_of_tag") & (table["subset"] == "all") & (table["protocol"] == name)]
            )
            for name, said in TOLD.items()
        },
        card=audit_card(study, task),
        reaches=reach_rows(study, task),
        vocabularies=vocabulary_rows(study, task, table),
        divisions=division_rows(study, task),
        phases=phase_table(table),
        **scaling_rows(own_table(study.inputs.comparisons.get(task), "pairs.tsv")),
        corpus=corpus_rows(table_of_examples(study, task, "corpus.tsv")),
        kept=table_of_examples(study, task, "viruses_kept.tsv").to_dict("records"),
        vega=vega(),
        data=embed(
            {
                "charts": {"contexts": context_chart(study.look)},
                "datasets": {"contexts": records(_tests(plain)[CHARTED])},
            }
        ),
    )


def context_chart(look: Look) -> dict[str, Any]:
    """Return the chart of bits per base of the test by context: a line a model, and one a mark."""
    x = alt.X("context:Q", title="bases of context", scale=alt.Scale(type="log", base=2))
    words = [alt.Tooltip("model:N"), *tooltip("context", "value", "ci_low", "ci_high", "seeds")]
    return lines_with_intervals("contexts", x, "bits per base", look.colour("model"), words, height=260)


def scaling_rows(table: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Return the rows of tables: `laws` (constants of each family's law, or why there is none), `foretold` runs, `budgets`."""
    laws, foretold, budgets = [], [], []
    for row in table.itertuples():
        if row.what == "budget":
            budgets.append(
                {
                    "family": row.family,
                    "operations": f"{row.flop:.2e}",
                    "best parameters": f"{row.parameters:,.0f}",
                    "bits per base": number(row.value),
                    "runs": f"{row.runs:,}",
                    "note": row.said if isinstance(row.said, str) else "",
                }
            )
            continue
        if row.what == "foretold":
            foretold.append(
                {
                    "family": row.family,
                    "parameters": f"{row.parameters:,.0f}",
                    "bases seen": f"{row.bases:,.0f}",
                    "bits per base": number(row.value),
                    "foretold by smaller runs": number(row.low),
                    "off by": f"{row.low - row.value:+.4f}".replace("-", "−"),
                }
            )
            continue
        said = row.said if isinstance(row.said, str) else ""
        known = pd.notna(row.value)
        laws.append(
            {
                "family": row.family,
                "constant": row.what if known else "no law",
                "value": number(row.value) if known else "",
                "95 %": f"{number(row.low)} to {number(row.high)}" if pd.notna(row.low) else "",
                "runs": f"{row.runs:,}",
                "note": said,
            }
        )
    return {"laws": laws, "foretold": foretold, "budgets": budgets}


def vocabulary_rows(study: Study, task: str, table: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a model whose vocabulary was learned with it: what it makes of training sequence, what it costs, its bits.

    `table` has the rows of the task, with `context`. On the border lie models that no other one beats in both.
    """
    found, known_of = {}, {}
    for run in study.runs(task):
        known = run.model_cost.get("vocabulary")
        if known and run.model not in known_of:
            known_of[run.model] = known
    own = table[table["model"].isin(list(known_of))]
    tested = (own["split"] == "test") & (own["subset"] == "all") & (own["protocol"] == "strict")
    bits = own[tested & (own["metric"] == "bits_per_base")]
    last = bits[bits["context"] == bits.groupby("model")["context"].transform("max")].groupby("model")["value"].mean()
    sizes = own[own["metric"] == "parameters"].groupby("model")["value"].mean()
    work = {name: sizes[name] / known["bases_per_token"] for name, known in known_of.items() if name in sizes}
    scored = [name for name in known_of if name in work and name in last]
    for name, known in known_of.items():
        beaten = any(last[one] < last[name] and work[one] < work[name] for one in scored) if name in scored else None
        found[name] = {
            "model": name,
            "bits per base": number(last[name]) if name in last else "",
            "million products a base": number(work[name] / 1e6) if name in work else "",
            "on the border": {True: "no", False: "yes", None: ""}[beaten],
            "tokens": f"{known['vocabulary']:,.0f}",
            "bases per token": number(known["bases_per_token"]),
            "bits per base, tokens by frequency": number(known["unigram_bits"]),
            "entropy of lengths": number(known["length_bits"]) if "length_bits" in known else "",
            "never used": f"{known['unused']:.0%}",
            "borders alike on both strands": f"{known['strands']:.0%}",
            "tokens changed by a base": number(known["changed"]),
            **_held_out_words(known.get("held_out") or {}),
        }
    return list(found.values())


def _held_out_words(known: Mapping[str, float]) -> dict[str, str]:
    """Return what a vocabulary makes of sequences that it was not learned from."""
    return {
        "held out: bases per token": number(known["bases_per_token"]) if known else "",
        "held out: bits, tokens by frequency": number(known["unigram_bits"]) if known else "",
        "held out: entropy of lengths": number(known["length_bits"]) if known else "",
        "held out: never used": f"{known['unused']:.0%}" if known else "",
    }


def division_rows(study: Study, task: str) -> list[dict[str, str]]:
    """Return bases a token by division of training, a row a model with a vocabulary; none where there is one division."""
    found = {run.model: (run.model_cost.get("vocabulary") or {}).get("divisions") or {} for run in study.runs(task)}
    names = sorted({name for own in found.values() for name in own})
    return [
        {"model": model, **{name or "no division": number(own.get(name)) for name in names}}
        for model, own in found.items()
        if own and len(names) > 1
    ]


def phase_table(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return bits per base of models of consecutive k-mers: as windows begin, over all k readings, and of the best one."""
    wanted = {
        "bits_per_base": "ends with a whole k-mer",
        "bits_per_base_all_phases": "all readings",
        "bits_per_base_best_phase": "the best reading",
    }
    own = table[(table["subset"] == "all") & (table["protocol"] == "strict") & table["metric"].isin(list(wanted))]
    rows = []
    for (split, model, context), group in own.groupby(["split", "model", "context"], sort=True):
        values = group.set_index("metric")["value"]
        if "bits_per_base_all_phases" in values:
            said = {words: number(values.get(name)) for name, words in wanted.items()}
            rows.append({"split": split, "model": model, "context": f"{int(context):,}", **said})
    return rows


def context_law_rows(study: Study, task: str) -> list[dict[str, str]]:
    """Return the constants of each run's law of context, or why it has none, a row a run and split."""
    rows = []
    runs = study.runs(task)
    several = len({run.seed for run in runs}) > 1
    for run in runs:
        path = run.folder / "scores" / "context_law.tsv"
        table = read_table(path) if path.exists() else pd.DataFrame({"split": []})
        for split, own in table.groupby("split", sort=False):
            known = own[own["constant"].notna()].set_index("constant")
            said = own["said"].iloc[0]
            rows.append(
                {
                    "model": run.model + (f", seed {run.seed}" if several else ""),
                    "split": str(split),
                    "contexts": f"{own['contexts'].iloc[0]:,}",
                    **{name: _constant(known.loc[name]) if name in known.index else "" for name in ("E", "G", "gamma")},
                    "note": said if isinstance(said, str) else "",
                }
            )
    return rows


def _constant(row: pd.Series) -> str:
    interval = f" [{number(row['low'])}, {number(row['high'])}]" if pd.notna(row["low"]) else ""
    return number(row["value"]) + interval


def reach_rows(study: Study, task: str) -> list[dict[str, str]]:
    """Return a row a model that was pretrained here on a corpus: how far gradients went back, and how far its state was carried."""
    runs = {run.model: (run.settings.get("model") or {}).get("pretrain") or {} for run in study.runs(task)}
    return [
        {
            "model": model,
            "family": block["family"],
            "trained through": f"{block['length']:,} bases",
            "carried": f"{block.get('carry_state_bp') or block['length']:,} bases",
        }
        for model, block in runs.items()
        if "length" in block and not block.get("pairs")
    ]


def table_of_examples(study: Study, task: str, name: str) -> pd.DataFrame:
    """Return a table that the examples of a task come with; empty where there is none."""
    path = study.inputs.examples / task / name if study.inputs.examples else None
    return read_table(path) if path is not None and path.exists() else pd.DataFrame()


def warnings(study: Study, tasks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what has to be known of the corpus: that viruses of eukaryotes were learned from, and why."""
    for task in tasks:
        for row in table_of_examples(study, task, "viruses_kept.tsv").itertuples():
            yield task, f"{row.sequences} viruses of eukaryotes are in the corpus; the reason given: {row.reason}"


def corpus_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of the table of what a corpus holds, at most `SHOWN`, and one for the rest."""
    rows = [
        {
            "split": row.split,
            "division": row.division,
            "species": row.species,
            "sequences": f"{row.sequences:,}",
            "clusters": f"{row.clusters:,}",
            "bases": f"{row.bases:,}",
            "lengths": f"{row.shortest:,} to {row.longest:,}" if row.sequences > 1 else f"{row.longest:,}",
            "G + C": f"{row.gc:.1%}",
            "lower case": f"{row.lower_case:.1%}",
            "unknown": f"{row.unknown:.2%}",
            "low complexity": f"{row.low_complexity:.1%}" if pd.notna(row.low_complexity) else "",
            "shared with training": f"{row.shared:.1%}" if pd.notna(row.shared) else "",
        }
        for row in table.head(SHOWN).itertuples()
    ]
    if len(table) > SHOWN:
        rest = table.iloc[SHOWN:]
        blank = dict.fromkeys(rows[0], "")
        said = {
            "species": f"{len(rest):,} more",
            "sequences": f"{rest['sequences'].sum():,}",
            "bases": f"{rest['bases'].sum():,}",
        }
        rows.append(blank | said)
    return rows


def marked(study: Study, task: str) -> dict[str, set[str]]:
    """Return the labels of the models of a task that are marks, by mark."""
    runs = [run for run in study.inputs.runs if run.task == task]
    blocks = {run.model: (run.settings.get("model") or {}).get("baseline") or {} for run in runs}
    return {mark: {label for label, block in blocks.items() if holds(block)} for mark, holds in MARKS.items()}


def beside_marks(rows: pd.DataFrame, found: dict[str, set[str]]) -> pd.DataFrame:
    """Return rows with a column a mark: its bits per base on the same bases at the same context, the best where there are two."""
    for mark, labels in found.items():
        own = rows[rows["model"].isin(labels)].groupby(["split", "context"])["value"].min()
        places = pd.MultiIndex.from_frame(rows[["split", "context"]])
        rows = rows.assign(**{mark: own.reindex(places).to_numpy()})
    return rows


def said_marks(plain: pd.DataFrame, found: dict[str, set[str]]) -> str:
    """Return the sentence that says what the marks are, at the longest context of the test."""
    tests = _tests(plain)
    if tests.empty:
        return ""
    last = beside_marks(tests[tests["context"] == tests["context"].max()], found).iloc[0]
    names = {
        "composition": "composition alone (chance)",
        "compressor": "the compressor",
        "source": "the source itself, given where its copies lie",
    }
    known = [f"{name} {number(last[mark])}" for mark, name in names.items() if pd.notna(last[mark])]
    missing = [names[mark] for mark in ("composition", "compressor") if pd.isna(last[mark])]
    said = f"Marks, in bits per base at {int(last['context']):,} bases of context: {', '.join(known)}." if known else ""
    return f"{said} Not run: {', '.join(missing)}.".strip() if missing else said


def said_bounds(errors: pd.DataFrame) -> str:
    """Return the sentence on models whose bits per base are bounds, with their Monte-Carlo error at the longest context."""
    tests = errors[errors["split"] == "test"].sort_values("context").groupby("model")["value"].last()
    said = ", ".join(f"{model} (± {number(value)} by its draws of masks)" for model, value in tests.items())
    return f"Bounds from above, by masked diffusion: {said}." if said else ""


def said_masked(table: pd.DataFrame) -> str:
    """Return the sentence on models that see both sides of a base, and so stand beside no compressor."""
    own = table[(table["metric"] == "masked_bits_per_base") & (table["protocol"] == "strict")]
    found = _tests(own).sort_values("context").groupby("model")["value"].last()
    said = ", ".join(f"{model} {number(value)}" for model, value in found.items())
    what = "Masked models see both sides of a base, so that what they lose is no cost of a sequence and stands beside no mark"
    return f"{what}: {said} bits per masked base." if said else ""


def against_compressor(plain: pd.DataFrame, compressor: set[str]) -> str:
    """Return the sentence that a page begins with: does the best model beat the best compressor, each at its best context?"""
    best = {
        side: rows.loc[rows["value"].idxmin()] if len(rows) else None
        for side, rows in (
            ("model", _tests(plain[plain["origin"].isin(["pretrained", "scratch"])])),
            ("compressor", _tests(plain[plain["model"].isin(compressor)])),
        )
    }
    model, other = best["model"], best["compressor"]
    if model is None:
        return "No model was scored that predicts a base from those before it."
    cost = f"{model['model']} costs {number(model['value'])} bits per base{_interval(model)}"
    chose = ", on the split that chose (there is no test)" if model["split"] != "test" else ""
    own = f"{cost} at {int(model['context'])} bases of context{chose}"
    if other is None:
        return f"{own}; no compressor was run beside it, so that this says nothing of what it has learned."
    lead = other["value"] - model["value"]
    name = "" if other["model"] == "compressor" else f"{other['model']} "
    theirs = f"the compressor {name}{number(other['value'])}{_interval(other)}"
    if lead <= 0:
        return f"The best model does not beat the compressor: {own}, {theirs}."
    clear = model["ci_high"] < other["ci_low"]
    surely = "" if clear else " Their intervals overlap: see the verdict below for the paired comparison."
    return f"The best model is below the compressor by {number(lead)} bits per base: {own}, {theirs}.{surely}"


def _tests(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows over all bases of the test; where there is none, of the split that chose."""
    own = rows[rows["subset"] == "all"]
    return own[own["split"] == ("test" if "test" in set(rows["split"]) else "validation")]


def _interval(row: pd.Series) -> str:
    return f" [{number(row['ci_low'])}, {number(row['ci_high'])}]" if pd.notna(row["ci_low"]) else ""


def by_context(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table: split, model, context, value and interval, and how far from each mark."""
    ordered = rows.sort_values(["split", "context", "value"])
    sides = {
        "composition": ("below composition", -1),
        "compressor": ("below the compressor", -1),
        "source": ("above the source", 1),
    }
    there = [mark for mark in sides if mark in rows and rows[mark].notna().any()]
    return [
        {
            "split": row.split,
            "model": row.model,
            "context": f"{int(row.context):,}",
            "value": number(row.value),
            "interval": f"{number(row.ci_low)} to {number(row.ci_high)}" if pd.notna(row.ci_low) else "",
            **{sides[mark][0]: _apart(sides[mark][1] * (row.value - getattr(row, mark))) for mark in there},
            "seeds": str(row.seeds),
        }
        for row in ordered.itertuples()
    ]


def _apart(bits: float) -> str:
    if pd.isna(bits):
        return ""
    return f"{bits:+.4f}".replace("-", "−") if abs(bits) >= 5e-5 else "0"


def by_stratum(plain: pd.DataFrame) -> list[dict[str, str]]:
    """Return bits per base by stratum, of each model at its longest context."""
    if plain.empty:
        return []
    longest = plain.groupby("model")["context"].transform("max")
    rows = plain[(plain["context"] == longest) & (plain["subset"] != "all")].sort_values(["split", "subset", "value"])
    return [
        {
            "split": row.split,
            "stratum": SUBSETS.get(row.subset, row.subset),
            "model": row.model,
            "context": f"{int(row.context):,}",
            "value": number(row.value),
        }
        for row in rows.itertuples()
    ]
