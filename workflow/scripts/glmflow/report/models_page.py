"""The page of models: what the study's models are and how they were adapted, and what every family is and can do."""

from __future__ import annotations

from typing import Any

from glmflow.files import read_table

from .language_models import hardly_learned
from .rendering import render
from .run_folder import RunFolder
from .study_tables import Study
from .wording import number

TITLES = {"per_base_states": "states per base", "extension": "context extension"}
CAPABILITIES = {
    name: TITLES.get(name, name.replace("_", " "))
    for name in "per_base_states masked_scores base_probabilities generation extension".split()  # noqa: SIM905 (no kind)
}
OBJECTIVES = {"causal": "next token", "masked": "masked tokens", "regions": "masked regions, gene expression"}
TOLERANCE = 1e-4
"""Largest difference from the original implementation that counts as the same."""
SWEEP_COLUMNS = ("trial", "train_seconds", "chosen", "failure")
VALIDATION = "validation_"
"""What the column begins with that a trial was chosen by."""


def models_page(study: Study) -> str:
    """Return the page."""
    families = list(study.inputs.families)
    return render(
        "models.html",
        study=study,
        models=study_models(study.inputs.runs, study.labels_by_name),
        best={model: best_scores(study, model) for model in study.inputs.pretraining},
        capabilities=CAPABILITIES,
        objectives=OBJECTIVES,
        families=families,
        tolerance=TOLERANCE,
        hardly=list(hardly_learned(study.trainings, set(study.trainings["model"]))),
        reasons=reasons(families),
        sweeps=study_sweeps(study.inputs.runs, study.labels_by_name),
        used={(run.cost.get("model") or {}).get("family") for run in study.inputs.runs},
    )


def study_models(runs: tuple[RunFolder, ...], labels: dict[tuple[str, str, str], str]) -> list[dict[str, Any]]:
    """Return a row for each task, model and adaptation, from the first of its seeds that recorded what its model is."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for run in runs:
        cost = run.cost
        model = cost.get("model") or {}
        if run.name in rows and (rows[run.name]["model"] or not model):
            continue
        rows[run.name] = {
            "task": run.task,
            "label": labels[run.name],
            "made": made_from(run.settings.get("model"), run.settings.get("base")),
            "baseline": run.is_baseline,
            "model": model,
            "parameters": cost.get("parameters"),
            "trainable": cost.get("trainable_parameters"),
            "device": cost.get("device") or "",
        }
    return list(rows.values())


def best_scores(study: Study, model: str) -> list[str]:
    """Return a model's best score of each task, in words."""
    found = []
    for task, cell in study.cells.items():
        own = cell[(cell["model"] == model) & cell["value"].notna()]
        if len(own):
            row = own.iloc[0]
            found.append(f"{study.headlines[task].title} {number(row['value'])} ({task}, {row['split']})")
    return found


def study_sweeps(runs: tuple[RunFolder, ...], labels: dict[tuple[str, str, str], str]) -> list[dict[str, Any]]:
    """Return the sweeps: the settings that were tried, and every trial with its validation loss."""
    found = []
    for run in runs:
        path = run.folder / "sweep.tsv"
        if path.exists():
            table = read_table(path)
            by = next(name for name in table.columns if name.startswith(VALIDATION))
            keys = [name for name in table.columns if name not in (*SWEEP_COLUMNS, by)]
            ordered = table.sort_values(by, ascending=by == f"{VALIDATION}loss").rename(columns={by: "value"})
            shown = {"keys": keys, "by": by.removeprefix(VALIDATION), "rows": ordered.to_dict("records")}
            found.append({"task": run.task, "label": labels[run.name], "seed": run.seed, **shown})
    return found


def made_from(model: Any, base: Any = None) -> str:
    """Return where a model comes from, from the settings of its run; `base` are those of the model that it extends."""
    if not isinstance(model, dict):
        return "not recorded"
    if model.get("checkpoint"):
        return f"published checkpoint {model['checkpoint']}"
    if model.get("pretrain"):
        block = model["pretrain"]
        through, carried = block.get("length"), block.get("carry_state_bp")
        beyond = f", trained through {through:,} bases, its state carried over {carried:,}" if carried else ""
        return f"pretrained by this study for {block.get('steps', '?')} updates{beyond}"
    if model.get("new"):
        return "random weights"
    if model.get("baseline"):
        return f"baseline {model['baseline'].get('kind', '')}".strip()
    if model.get("extend"):
        extension = model["extend"]
        first = made_from(base) if base else f"{extension['model']} of this study"
        return f"{first}, extended by {extension['method']} to {extension['factor']:g} times its length"
    return "not recorded"


def reasons(families: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return why families cannot do something: one row a capability and reason, with the families it holds for."""
    rows: dict[tuple[str, str], list[str]] = {}
    for capability in CAPABILITIES:
        for family in families:
            if capability in family["cannot"]:
                rows.setdefault((capability, family["cannot"][capability]), []).append(family["name"])
    found = []
    for (capability, text), names in rows.items():
        why, _, instead = text.partition("; ")
        found.append({"what": CAPABILITIES[capability], "why": why, "instead": instead, "families": ", ".join(names)})
    return found
