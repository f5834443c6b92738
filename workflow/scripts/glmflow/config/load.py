"""From YAML to a checked study: every mistake at once, each with its place and its mend."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from glmflow.errors import InputError

from .study import Study

Path_ = tuple[str | int, ...]


class ConfigurationError(InputError):
    """All mistakes of a configuration, a line each."""

    def __init__(self, problems: Sequence[str]):
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))

    def __str__(self) -> str:
        return "\n".join(self.problems)

    def __reduce__(self):
        return ConfigurationError, (self.problems,)


def read_study(path: str | Path) -> Study:
    """Read and check the configuration file of a study."""
    path = Path(path)
    if not path.is_file():
        raise InputError("no such configuration file", where=path, mend="give the path of a study's YAML file")
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise InputError(f"not YAML: {getattr(error, 'problem', error)}", where=place) from None
    return check_study(raw or {}, path)


def read_checkpoints(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read the list of published checkpoints (`config/models.yaml`) by name."""
    return yaml.safe_load(Path(path).read_text())


def check_study(
    raw: Mapping[str, Any], source: str | Path | None = None, checkpoints: Collection[str] | None = None
) -> Study:
    """Check a configuration and return the study it describes.

    Parameters
    ----------
    raw
        The configuration as nested dictionaries.
    source
        The file it came from, read again only to give line numbers.
    checkpoints
        Names of the published checkpoints; a model that names another one is a mistake. Not checked where None.

    Raises
    ------
    ConfigurationError
        With every mistake: unknown and missing keys, wrong types, labels that are not defined.
    """
    problems: list[tuple[Path_, str]] = []
    study = None
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        problems += _structural(error, raw)
    problems += _references(raw)
    if study is not None and not problems:
        problems += _semantic(study)
        problems += _unknown_checkpoints(study, checkpoints)
    if problems:
        tree = _compose(source)
        raise ConfigurationError([f"{_place(path, source, tree)}: {text}" for path, text in dict.fromkeys(problems)])
    assert study is not None
    return study


def _structural(error: ValidationError, raw: Any) -> Iterator[tuple[Path_, str]]:
    """Turn pydantic's errors into (path, sentence) pairs."""
    for item in error.errors():
        path = _existing(item["loc"], raw)
        match item["type"]:
            case "extra_forbidden":
                known = _known_keys(item["loc"][:-1])
                yield path, f"unknown key {item['loc'][-1]!r}{_suggest(str(item['loc'][-1]), known)}"
            case "missing":
                yield path, f"missing key {item['loc'][-1]!r}; add it (config/README.md describes every key)"
            case _:
                yield path, item["msg"].removeprefix("Value error, ")


def _existing(location: Sequence[str | int], raw: Any) -> Path_:
    """Keep the parts of pydantic's location that are keys of the configuration (it adds names of variants)."""
    path: list[str | int] = []
    for part in location:
        if (isinstance(raw, Mapping) and part in raw) or (
            isinstance(raw, Sequence) and not isinstance(raw, str) and isinstance(part, int) and part < len(raw)
        ):
            raw = raw[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _known_keys(location: Sequence[str | int]) -> list[str]:
    """Return the keys that the block at this location of the schema accepts."""
    schema = Study.model_json_schema()
    node: dict[str, Any] = schema
    for part in location:
        node = _follow(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        elif "patternProperties" in node:
            (node,) = node["patternProperties"].values()
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]
        elif "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = {"$ref": node["discriminator"]["mapping"][part]}
    return list(_follow(schema, node).get("properties", {}))


def _follow(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Resolve `$ref` and optional (`anyOf` with null) nodes of a JSON schema."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
        else:
            return node


def _references(raw: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Check that the labels used in `runs` and `tasks.*.tracks` are defined; needs no valid structure."""
    runs = raw.get("runs")
    for number, entry in enumerate(runs if isinstance(runs, list) else []):
        for block in ("tasks", "models", "adaptations"):
            labels = entry.get(block) if isinstance(entry, Mapping) else None
            defined = raw.get(block)
            if not isinstance(labels, list) or not isinstance(defined, Mapping):
                continue
            for position, label in enumerate(labels):
                if label not in defined:
                    kind = block.removesuffix("s")
                    yield (
                        ("runs", number, block, position),
                        f"unknown {kind} {label!r}{_suggest(str(label), defined)}",
                    )


def _semantic(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check what needs more than one block."""
    from .resolve import expression_of, resolve_data, tracks_of
    from .study import expand_runs

    data = resolve_data(study)
    if data.reference is None:
        yield (
            ("reference",),
            "a study needs a reference genome: give `reference: {fasta: ...}` or `simulate:`",
        )
    for label, task in study.tasks.items():
        for position, track in enumerate(getattr(task, "tracks", None) or []):
            if track not in data.tracks:
                yield (
                    ("tasks", label, "tracks", position),
                    f"unknown track {track!r}{_suggest(track, data.tracks)}",
                )
        if task.kind == "rnaseq_tracks" and not tracks_of(study, label):
            yield ("tasks", label), "no tracks to predict: give `tracks:` or `simulate:`"
        if task.kind == "snp2gex" and not task.hackathon:
            if expression_of(study, label) is None:
                yield ("tasks", label), "no expression to predict: give `expression:`, `hackathon:` or `simulate:`"
            if data.cohort is None:
                yield ("tasks", label), "no people: give `cohort:` with a VCF, `hackathon:` or `simulate:`"
            if data.reference is not None and data.reference.annotation is None:
                yield ("tasks", label), "no genes: give `reference.annotation`, a GTF"
        gap = getattr(study.splits, "gap", None)
        if gap is not None and gap < task.window_bp:
            yield (
                ("splits", "gap"),
                f"gap {gap} is shorter than the windows of task {label!r} ({task.window_bp}): train and held-out "
                f"windows would share bases; use at least {task.window_bp}",
            )
    for label, model in study.models.items():
        if model.extend and getattr(study.models.get(model.extend.model), "origin", None) not in (
            "pretrain",
            "checkpoint",
        ):
            known = [name for name, other in study.models.items() if other.origin in ("pretrain", "checkpoint")]
            yield (
                ("models", label, "extend", "model"),
                f"{model.extend.model!r} is no pretrained or published model of this study{_suggest(model.extend.model, known)}",
            )
    if not expand_runs(study)[0]:
        yield (
            ("runs",),
            "none of the combinations fits: "
            + "; ".join(f"{misfit.model} x {misfit.adaptation}: {misfit.reason}" for misfit in expand_runs(study)[1]),
        )


def _unknown_checkpoints(study: Study, known: Collection[str] | None) -> Iterator[tuple[Path_, str]]:
    """Check that checkpoints are names of the list or paths (which hold a slash)."""
    for label, model in study.models.items():
        name = model.checkpoint
        if known is not None and name and "/" not in name and name not in known:
            yield (
                ("models", label, "checkpoint"),
                f"unknown checkpoint {name!r}{_suggest(name, known)} (the names are in config/models.yaml; a path holds a slash)",
            )


def _suggest(word: str, known: Any) -> str:
    """Return the mend for a misspelt word."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; use one of {', '.join(names)}" if names else ""


def _compose(source: str | Path | None) -> yaml.Node | None:
    """Parse a YAML file into nodes that know their lines."""
    if source is None or not Path(source).is_file():
        return None
    try:
        return yaml.compose(Path(source).read_text(), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None


def _place(path: Path_, source: str | Path | None, node: yaml.Node | None) -> str:
    """Return `file:line: key.key` of a path of the configuration."""
    line = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    dotted = ".".join(map(str, path))
    prefix = "configuration" if source is None else f"{source}:{line}" if line else str(source)
    return f"{prefix}: {dotted}" if dotted else prefix
