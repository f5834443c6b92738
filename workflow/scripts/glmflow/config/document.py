"""The JSON schema and the reference of every key, both generated from the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .public_sets import PublicSet, read_public_sets, sets_table
from .schema import follow
from .study import Study

INTRODUCTION = """\
# Configuration

A study is one YAML file; `config/config.yaml` is the demo. Another is run with
`snakemake --configfile config/studies/NAME.yaml` and is complete in itself: the demo's file is not merged into it.
`--config study=trial` changes a single key for one call.

The configuration says *what* is computed; threads, memory and queues belong to the rules and to `profiles/`.
Mistakes are reported before any job starts, each with its line and its fix: those of keys all at once, then those of files.

This page is generated from the code (`make docs`).
"""


def schema() -> dict[str, Any]:
    """Return the JSON schema of a study (draft 2020-12)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema()}


def reference() -> str:
    """Return the description of every key as Markdown."""
    root = Study.model_json_schema()
    lines = [INTRODUCTION]
    done: set[str] = set()
    queue: list[tuple[str, dict[str, Any]]] = [("The study", root)]
    while queue:
        title, node = queue.pop(0)
        lines += [
            f"\n## {title}\n",
            node.get("description", "").split("\n\n")[0].replace("\n", " "),
            "",
            HEADER,
            RULE,
        ]
        for key, value in node.get("properties", {}).items():
            lines.append(f"| `{key}` | {_type(root, value)} | {_default(key, node)} | {value.get('description', '')} |")
            for name in _blocks(value):
                if name not in done:
                    done.add(name)
                    queue.append((name, root["$defs"][name]))
    return "\n".join(lines).rstrip() + "\n"


HEADER = "| key | value | default | meaning |"
RULE = "| --- | --- | --- | --- |"


def _blocks(value: Any) -> list[str]:
    """Return the names of the blocks a schema node refers to, in order."""
    if isinstance(value, dict):
        if "$ref" in value:
            return [value["$ref"].rsplit("/", 1)[1]]
        return [name for key, item in value.items() if key != "discriminator" for name in _blocks(item)]
    return [name for item in value for name in _blocks(item)] if isinstance(value, list) else []


def _type(root: dict[str, Any], value: dict[str, Any]) -> str:
    """Return a short description of the values a node accepts."""
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    blocks = _blocks(value)
    node = follow(root, value) if "anyOf" in value else value
    if node.get("type") == "array":
        return "list" + (f" of *{', '.join(blocks)}*" if blocks else "")
    if node.get("type") == "object" and "patternProperties" in node and blocks:
        return f"mapping of labels to *{', '.join(blocks)}*"
    if blocks:
        return "block *" + "* or *".join(blocks) + "*"
    return {"integer": "integer", "number": "number", "string": "text", "boolean": "`true`, `false`"}.get(
        node.get("type", ""), "mapping"
    )


def _default(key: str, node: dict[str, Any]) -> str:
    """Return the default of a key as it would be written in YAML."""
    if key in node.get("required", []):
        return "(required)"
    default = node["properties"][key].get("default")
    return (
        "" if default is None or default == "" else f"`{json.dumps(default)}`" if not isinstance(default, dict) else ""
    )


PUBLIC_DATA = """\
# Public data

`snakemake -c1 fetch --config data=geuvadis` downloads a set into `resources/geuvadis/`, on a machine with internet (the login
node of a cluster); separate several sets by commas. A study that names its sets under `data:` needs no more than
`snakemake -c1 fetch --configfile STUDY` (`fetch`, as every target, before `--configfile`). An interrupted download resumes where
it stopped; free disk space is checked first; a file that is there is not fetched again. A file has to match its listed checksum;
where none is listed, that of the first download is written into `resources/checksums.tsv`, and later downloads have to match it.
Published models are downloaded by `snakemake -c1 prefetch`, from the hub, each at a fixed commit.

Addresses marked as not verified have not been tried yet: if one fails, correct it in `config/data.yaml`. A set of your own, such as
files on a server of your institute, is a further block in that file:

```yaml
lab:
  about: Our genome and genes
  licence: not public
  files:
    - {address: "https://files.example.org/genome.fa.gz", name: genome.fa.gz, megabytes: 900}   # resources/lab/genome.fa.gz
    - {address: "https://files.example.org/genes.gtf.gz", name: genes.gtf.gz, megabytes: 45, md5: ...}   # or sha256, if stated
```

`snakemake -c1 fetch --config data=lab` downloads it. The table below is generated from the list (`make docs`).

"""


def public_data(sets: Mapping[str, PublicSet]) -> str:
    """Return the public data sets as a page of Markdown."""
    return PUBLIC_DATA + sets_table(sets)


def write(root: str | Path = ".") -> None:
    """Write the schema and the reference into the repository at `root`."""
    root = Path(root)
    (root / "workflow/schemas/config.schema.json").write_text(json.dumps(schema(), indent=2) + "\n")
    (root / "config/README.md").write_text(reference())
    (root / "docs/data.md").write_text(public_data(read_public_sets()))


if __name__ == "__main__":
    write()
