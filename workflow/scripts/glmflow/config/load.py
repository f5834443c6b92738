"""From YAML to a checked study: every mistake at once, each with its place and its mend."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from glmflow.errors import InputError

from .consistency import Path_, long_windows, predictions, spent_shares, suggest
from .study import Study, expand_runs
from .syntax import read_yaml
from .tasks import Snp2gex

QUOTED = r"'([^']*)'"
EMPTY = "has no value; give one, or leave the key out where it may be (config/README.md describes every key)"
BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


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
    return check_study(read_yaml(path), path)


def read_checkpoints(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read the list of published checkpoints (`config/models.yaml`) by name.

    Raises
    ------
    ConfigurationError
        An entry is said to be verified and does not name the commit that was.
    """
    checkpoints = read_yaml(path)
    loose = [name for name, entry in checkpoints.items() if entry.get("verified") and not _is_commit(entry["revision"])]
    if loose:
        raise ConfigurationError(
            [f"{path}: {name}: verified, so `revision` has to be the commit that was downloaded" for name in loose]
        )
    return checkpoints


def _is_commit(revision: object) -> bool:
    """Whether a revision is a commit, which cannot move, and not a branch or a tag."""
    return re.fullmatch("[0-9a-f]{40}", str(revision)) is not None


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
    tree = _compose(source)
    problems += _repeated(tree)
    if problems:
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
                yield path, f"unknown key {item['loc'][-1]!r}{suggest(str(item['loc'][-1]), known)}"
            case "missing":
                yield path, f"missing key {item['loc'][-1]!r}; add it (config/README.md describes every key)"
            case _:
                yield path, _sentence(item)


def _sentence(item: Mapping[str, Any]) -> str:
    """Say what pydantic found in the words of someone who writes YAML, with the value and its mend."""
    value, context = item["input"], item.get("ctx", {})
    match item["type"]:
        case "literal_error":
            return f"unknown value {value!r}{suggest(str(value), re.findall(QUOTED, context['expected']))}"
        case "union_tag_invalid":
            return f"unknown {context['discriminator'].strip(chr(39))} {context['tag']!r}" + suggest(
                context["tag"], re.findall(QUOTED, context["expected_tags"])
            )
        case "union_tag_not_found":
            return f"missing key {context['discriminator']}; add it (config/README.md describes every key)"
        case "string_pattern_mismatch":
            return f"{value!r} cannot be part of a path; use letters, digits, '_', '.' and '-'"
        case "string_type":
            return f"{value!r} is not text; put it into quotes" if value is not None else EMPTY
        case "int_parsing" | "int_from_float" | "int_type":
            return f"{value!r} is not a whole number" if value is not None else EMPTY
        case "float_parsing" | "float_type":
            return f"{value!r} is not a number" if value is not None else EMPTY
        case "bool_parsing" | "bool_type":
            return f"{value!r} is neither true nor false" if value is not None else EMPTY
        case "list_type":
            return f"{value!r} is not a list; write [{value}]" if value is not None else EMPTY
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{value!r} is not a block of keys" if value is not None else EMPTY
        case "too_short":
            return "is empty; name at least one"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as kind:
            words, key = BOUNDS[kind]
            return f"must be {words} {context[key]:g}, is {value!r}"
        case _:
            return item["msg"].removeprefix("Value error, ")


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
                        f"unknown {kind} {label!r}{suggest(str(label), defined)}",
                    )


def _semantic(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check what needs more than one block."""
    from .resolve import expression_of, hackathon_of, resolve_data, tracks_of

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
                    f"unknown track {track!r}{suggest(track, data.tracks)}",
                )
        if task.kind == "rnaseq_tracks" and not tracks_of(study, label):
            yield ("tasks", label), "no tracks to predict: give `tracks:` or `simulate:`"
        if task.kind == "rnaseq_tracks" and task.haplotypes and data.cohort is None:
            yield ("tasks", label, "haplotypes"), "no people: give `cohort:` with a VCF or `simulate:`"
        hackathon = hackathon_of(study)
        if hackathon and (getattr(task, "hackathon", None) or hackathon).folder != hackathon.folder:
            yield ("tasks", label, "hackathon", "folder"), "one study reads one folder; make another study of it"
        if hackathon and not getattr(task, "hackathon", None):
            yield ("tasks", label), "in a study of the hackathon's files every task is about them: give `hackathon:`"
        if task.kind == "snp2gex" and task.hackathon:
            yield from _settled_by_files(label, task)
        if task.kind == "snp2gex" and not task.hackathon:
            if expression_of(study, label) is None:
                yield ("tasks", label), "no expression to predict: give `expression:`, `hackathon:` or `simulate:`"
            if data.cohort is None:
                yield ("tasks", label), "no people: give `cohort:` with a VCF, `hackathon:` or `simulate:`"
            if data.reference is not None and data.reference.annotation is None:
                yield ("tasks", label), "no genes: give `reference.annotation`, a GTF"
        gap, block = getattr(study.splits, "gap", None), getattr(study.splits, "block", None)
        if gap is not None and block < gap + task.window_bp:
            yield (
                ("splits", "block"),
                f"blocks of {block} with a gap of {gap} hold no window of task {label!r} ({task.window_bp}); use at least "
                f"{gap + task.window_bp}, better several times that",
            )
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
                f"{model.extend.model!r} is no pretrained or published model of this study{suggest(model.extend.model, known)}",
            )
    for label, adaptation in study.adaptations.items():
        if adaptation.sweep and not getattr(study.splits, "validation", True):
            yield ("adaptations", label, "sweep"), "nothing to choose by: give `splits.validation`"
    yield from spent_shares(study)
    yield from long_windows(study)
    yield from predictions(study)
    yield from _unknown_contigs(study)
    yield from _unknown_families(study)
    yield from _long_crops(study)
    if not expand_runs(study)[0]:
        yield (
            ("runs",),
            "none of the combinations fits: "
            + "; ".join(f"{misfit.model} x {misfit.adaptation}: {misfit.reason}" for misfit in expand_runs(study)[1]),
        )


READ_BESIDE_FILES = {"windows": {"size"}, "people": {"validation", "kinship", "seed"}, "preprocessing": {}, "genes": {}}
"""Settings of these blocks that count beside the hackathon's files, which hold splits and finished targets."""


def _settled_by_files(label: str, task: Snp2gex) -> Iterator[tuple[Path_, str]]:
    """Check that nothing is asked of a hackathon task that its files decide."""
    for block, read in READ_BESIDE_FILES.items():
        for key in sorted(getattr(task, block).model_fields_set - set(read)):
            yield ("tasks", label, block, key), "does nothing here: the hackathon's files decide it. Leave it out"


def _unknown_contigs(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check the contigs of the splits against those of a simulated genome (a real one is looked at with its file)."""
    if study.reference or not (study.simulate and study.simulate.cohort) or study.splits.by != "contig":
        return
    made = study.simulate.cohort.contigs
    for split in ("train", "validation", "test"):
        for position, name in enumerate(getattr(study.splits, split)):
            if name not in made:
                yield (
                    ("splits", split, position),
                    f"contig {name!r} is not simulated; use one of {', '.join(made)}, or add it to simulate.cohort.contigs",
                )


def _unknown_families(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check that models made here are of a family that there is."""
    from glmflow.models.registry import family_names

    for label, model in study.models.items():
        for origin in ("new", "pretrain"):
            block = getattr(model, origin)
            if block is not None and block.family not in family_names():
                yield (
                    ("models", label, origin, "family"),
                    f"unknown family {block.family!r}{suggest(block.family, family_names())}",
                )


def _long_crops(study: Study) -> Iterator[tuple[Path_, str]]:
    """Check that no run trains on crops longer than the windows they are cut from."""
    for run in expand_runs(study)[0]:
        crop, window = study.adaptations[run.adaptation].train.crop, study.tasks[run.task].window_bp
        if crop is not None and crop > window:
            yield (
                ("adaptations", run.adaptation, "train", "crop"),
                f"crop {crop} is longer than the windows of task {run.task!r} ({window}); use at most {window}",
            )


def _unknown_checkpoints(study: Study, known: Collection[str] | None) -> Iterator[tuple[Path_, str]]:
    """Check that checkpoints are names of the list or paths (which hold a slash)."""
    for label, model in study.models.items():
        name = model.checkpoint
        if known is not None and name and "/" not in name and name not in known:
            yield (
                ("models", label, "checkpoint"),
                f"unknown checkpoint {name!r}{suggest(name, known)} (the names are in config/models.yaml; a path holds a slash)",
            )


def _compose(source: str | Path | None) -> yaml.Node | None:
    """Parse a YAML file into nodes that know their lines."""
    if source is None or not Path(source).is_file():
        return None
    try:
        return yaml.compose(Path(source).read_text(), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None


def _repeated(node: yaml.Node | None, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Check that no block has a key twice: YAML would quietly keep the last one."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            first = seen.setdefault(key.value, key.start_mark.line + 1)
            if first != key.start_mark.line + 1:
                yield (
                    (*path, key.value),
                    f"key {key.value!r} is given again in line {key.start_mark.line + 1}; keep one of them",
                )
            yield from _repeated(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _repeated(value, (*path, position))


def locate(path: Path_, source: str | Path | None) -> str:
    """Return `file:line: key.key` of a path of the configuration, for mistakes found outside its text."""
    return _place(path, source, _compose(source))


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
