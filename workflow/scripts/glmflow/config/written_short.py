"""What is written short: adaptations by the name of a protocol or with a list of training shares, and all models of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glmflow.errors import InputError

from .benchmark_sets import protocol, protocol_names
from .efficient import EFFICIENT, keys_of
from .model_grids import of_grids
from .text_entries import with_text_models

KINDS = {"all": "full", "probe": "probe", **dict(zip(EFFICIENT, EFFICIENT))}
PLAIN = ("optimizer", "weight_decay", "schedule", "warmup", "max_grad_norm", "reverse_complement", "padding")
"""Keys of a protocol that are those of `train`."""
ALL = "all"
CHOSEN_BY_VALIDATION = ("validation", "dev", "random tenth of train", "fold")


def of_protocol(name: str, computed_in: str = "float32") -> tuple[dict[str, Any], list[str]]:
    """Return the settings of an adaptation that follow a published protocol, and in words what cannot be followed.

    Parameters
    ----------
    name
        A protocol; where its settings depend on the set, `{protocol}/{set}` (`dnabert2_gue/prom_tata`).
    computed_in
        Type that the adaptation computes in.

    Raises
    ------
    InputError
        There is no such protocol or set, or it only says how splits are judged.
    """
    base, _, of_set = name.partition("/")
    known = protocol(base)
    if known.get("tuned") not in KINDS:
        able = [one for one in protocol_names() if protocol(one).get("tuned") in KINDS]
        what = f"protocol {base!r} does not say how a model is tuned"
        raise InputError(what, where="protocol", fix=f"Name one of {', '.join(able)}.")
    if of_set and "sets" in known:
        if of_set not in known["sets"]:
            what = f"protocol {base!r} knows no set {of_set!r}"
            raise InputError(what, where="protocol", fix=f"Name one of {', '.join(known['sets'])}.")
        known |= known["sets"][of_set]
    train: dict[str, Any] = {key: known[key] for key in PLAIN if key in known}
    differs = []
    for key in ("epochs", "patience"):
        if isinstance(known.get(key), Mapping):
            if of_set not in known[key]:
                what = f"protocol {base!r} has its own {key} for {', '.join(known[key])}"
                raise InputError(what, where="protocol", fix=f"Say {base}/{next(iter(known[key]))}.")
            known[key] = known[key][of_set]
    if "epochs" in known or "most_epochs" in known:
        train["epochs"] = known.get("epochs", known.get("most_epochs"))
        train["evaluations"] = max(1, round(train["epochs"]))  # one an epoch
    if "most_steps" in known and of_set in known["most_steps"]:
        train["most_steps"] = known["most_steps"][of_set]
    if "patience" in known:
        train["patience"] = known["patience"]
    if "warmup_steps" in known:
        train["warmup"] = known["warmup_steps"]
    if known.get("fp16"):
        differs.append(f"computed in {computed_in}, where it was fp16")
    if known.get("selection") in CHOSEN_BY_VALIDATION:
        train["keep"] = "best"
        if known.get("chosen_by"):
            train["best_by"] = known["chosen_by"]
    if "tenth" in str(known.get("selection")) or "folds" in known:
        train["folds"] = known.get("folds", 10)
    if "instead" in known:
        differs.append(known["instead"])
    tried = {key: known[key] for key in ("learning_rate", "batch") if key in known}
    train |= {key: values[0] for key, values in tried.items()}
    sweep = {key: values for key, values in tried.items() if len(values) > 1}
    found = {"kind": KINDS[known["tuned"]], "train": train, **({"sweep": sweep} if sweep else {})}
    if "pool" in known:
        found["head"] = {"kind": known.get("head_kind", "pooled"), "pool": known["pool"]}
    found |= {key: known[own] for key, own in (("head", "head_settings"), ("loss", "loss")) if own in known}
    found |= {key: known[key] for key in sorted(keys_of(found["kind"])) if key in known}
    return found, differs


def protocol_metric(name: str, preset: str | None = None) -> str | None:
    """Return the metric that a protocol reports of a published set (`nt/promoter_tata`); None where it leaves it to the set."""
    base, _, of_set = name.partition("/")
    known = protocol(base)
    own = known.get("metrics", {})
    return own.get((preset or "").partition("/")[2]) or own.get(of_set) or known.get("metric")


def written_out(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose adaptations stand for one way of training each, and whose runs name their models.

    `protocol: NAME` fills in what an adaptation leaves out, and `train.examples: [0.1, 1]` becomes an adaptation of each
    share, `{label}-0.1` and `{label}`; a `grid` of a model becomes a model of each combination of values (`model_grids`);
    `runs` that name the first are made with all. Text models among `models` go into the heads that name them
    (`text_entries`). `models: all` of a run are all
    baselines, where its adaptations are of kind baseline, else all models that are none; `tasks: all` are all tasks.

    Raises
    ------
    InputError
        A protocol is not known.
    """
    raw = with_text_models(raw)
    grids: dict[str, list[str]] = {}
    if isinstance(models := raw.get("models"), Mapping):
        models, grids = of_grids(models)
        raw = {**raw, "models": models}
    adaptations = raw.get("adaptations")
    if not isinstance(adaptations, Mapping):
        return dict(raw)
    found: dict[str, Any] = {}
    stands_for: dict[str, list[str]] = {}
    for label, block in adaptations.items():
        parts = dict(_each_share(label, _with_protocol(label, block)))
        found |= parts
        stands_for[label] = list(parts)
    runs = raw.get("runs")
    if isinstance(runs, list):
        runs = [_with_all(_named(entry, raw), {"adaptations": stands_for, "models": grids}) for entry in runs]
    return {**raw, "adaptations": found, **({"runs": runs} if runs is not None else {})}


def _with_protocol(label: str, block: Any) -> Any:
    if not isinstance(block, Mapping) or not isinstance(block.get("protocol"), str):
        return block
    try:
        settings, _ = of_protocol(block["protocol"])
    except InputError as error:
        raise InputError(error.what, where=f"adaptations.{label}.protocol", fix=error.fix) from None
    own = block.get("train") if isinstance(block.get("train"), Mapping) else {}
    merged = {**settings, **block, "train": {**settings["train"], **own}}
    if sweep := {key: values for key, values in settings.get("sweep", {}).items() if key not in own}:
        merged.setdefault("sweep", sweep)
        merged["sweep"] = block.get("sweep", sweep)
    elif "sweep" not in block:
        merged.pop("sweep", None)
    return merged


def _each_share(label: str, block: Any) -> Iterator[tuple[str, Any]]:
    train = block.get("train") if isinstance(block, Mapping) else None
    shares = train.get("examples") if isinstance(train, Mapping) else None
    if not isinstance(shares, list):
        yield label, block
        return
    for share in shares:
        name = label if share == 1 else f"{label}-{share:g}" if isinstance(share, int | float) else label
        yield name, {**block, "train": {**train, "examples": share}}


def _named(entry: Any, raw: Mapping[str, Any]) -> Any:
    """Return a run with the labels that `all` stands for."""
    if not isinstance(entry, Mapping):
        return entry
    found = dict(entry)
    if found.get("tasks") == ALL and isinstance(raw.get("tasks"), Mapping):
        found["tasks"] = list(raw["tasks"])
    if found.get("models") == ALL and isinstance(raw.get("models"), Mapping):
        labels = found.get("adaptations")
        blocks = [raw["adaptations"].get(label) for label in labels] if isinstance(labels, list) else []
        baselines = bool(blocks) and all(isinstance(one, Mapping) and one.get("kind") == "baseline" for one in blocks)
        found["models"] = [
            label
            for label, model in raw["models"].items()
            if (isinstance(model, Mapping) and "baseline" in model) == baselines
        ]
    return found


def _with_all(entry: Any, stands_for: Mapping[str, Mapping[str, list[str]]]) -> Any:
    """Return a run with every label replaced by those that it stands for."""
    if not isinstance(entry, Mapping):
        return entry
    found = dict(entry)
    for key, known in stands_for.items():
        if isinstance(labels := entry.get(key), list):
            found[key] = [name for label in labels for name in known.get(label, [label])]
    return found
