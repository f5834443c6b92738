"""What is known of a family of models without importing it: what it reads, what it cannot do, what it keeps in memory.

The facts of a family are in `families/<family>.yaml` beside its code:

``inputs``           what it reads: ``sequence``, or ``regions`` (regions x motifs).
``objective``        ``causal``, ``masked`` or ``regions``.
``model_type``       value of ``model_type`` in ``config.json`` by which the plan knows the family.
``target``           beginning of ``model._target_`` in ``config.json``, by which it knows one whose files have no ``model_type``.
``bases_per_token``  bases that a token stands for; 1 where left out.
``pairs``            pairs of tokens that attention meets: ``all`` where left out, ``causal`` (half), ``none``.
``kept``             numbers kept for the backward pass, see `Kept`; measured by counting the tensors that autograd saves.
``own_settings``     whether `config` of a new model takes the keys of the family's defaults and no others.
``transformers``     the configuration of transformers (`olmo.OlmoConfig`) whose keys `config` of a new model takes.
``settings``         keys that `config` of a new model takes beside these or the defaults; left out where not known.
``needs``            keys that `config` of a new model must have.
``packs``            whether it reads several records in a row as if each stood alone.
``carries``          whether what it has read is a state of fixed size, which can be carried from window to window.
``experts``          whether its layers are mixtures of experts, which low-rank adapters can have too.
``ia3``              ends of the names (regular expressions) of layers that IA3 scales: ``attention``, whose output gives keys
                     and values, and ``feedforward``, the second layer of each network; left out by families without attention.
``published``        a list of what was published: name, origin, context, licence, differences from the original's outputs for
                     a tiny random checkpoint (``logits``, ``states``; `glmflow parity`, float32 on a CPU), and
                     ``cannot``: what it cannot do, with the reason and the alternative.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from glmflow.yaml_text import load_yaml

FAMILIES = Path(__file__).with_name("families")


class Kept(NamedTuple):
    """Numbers kept per token and layer: `width` x hidden size + `inner` x feed-forward size + `pairs` x tokens of a row.

    With bf16 the first two take `bf16_width` and `bf16_inner` times their 4 bytes.
    """

    width: float = 16
    inner: float = 4
    pairs: float = 0.0
    bf16_width: float = 0.76
    bf16_inner: float = 0.5


class Facts(NamedTuple):
    """The facts of a family (see the module's description)."""

    family: str
    inputs: tuple[str, ...] = ("sequence",)
    objective: str = "masked"
    model_type: str = ""
    target: str = ""
    bases_per_token: float = 1.0
    pairs: str = "all"
    kept: Kept = Kept()
    own_settings: bool = False
    transformers: str = ""
    settings: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    packs: bool = False
    carries: bool = False
    experts: bool = False
    ia3: Mapping[str, list[str]] = {}
    published: tuple[Mapping[str, Any], ...] = ()

    @property
    def reads_byte_pairs(self) -> bool:
        """Whether all of its models read byte pairs."""
        return bool(self.published) and all(entry.get("reads") == "byte pairs" for entry in self.published)

    @property
    def without_ia3(self) -> str | None:
        """Why IA3 cannot adapt its models; None where it can."""
        if self.ia3:
            return None
        return f"{self.family} has no attention whose keys and values IA3 could scale (its facts name no `ia3`)"

    def cannot(self, capability: str) -> str | None:
        """Return why no model of the family has a capability; None where some have it."""
        if capability == "likelihood":
            return "it gives no probabilities of bases" if self.objective == "regions" else None
        reasons = [entry.get("cannot", {}).get(capability) for entry in self.published]
        return reasons[0] if reasons and all(reasons) else None


@lru_cache
def facts_of(family: str) -> Facts:
    """Return the facts of a family; for one without a file, the cautious defaults."""
    path = FAMILIES / f"{family}.yaml"
    if not path.is_file():
        return Facts(family)
    found = load_yaml(path.read_text(encoding="utf-8"))
    kept = Kept(**found.pop("kept", {}))
    found["inputs"], found["published"] = tuple(found["inputs"]), tuple(found.get("published", ()))
    found["settings"], found["needs"] = found.get("settings"), tuple(found.get("needs", ()))
    return Facts(family, **found | {"kept": kept})


@lru_cache
def default_config(family: str) -> dict[str, Any]:
    """Return the default sizes that a family's file states, read without running it (which would need torch)."""
    paths = (FAMILIES.with_name("settings") / f"{family}.py", FAMILIES / f"{family}.py")
    path = next((path for path in paths if path.is_file()), None)
    for node in ast.parse(path.read_text()).body if path else ():
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "DEFAULTS":
            return ast.literal_eval(node.value)
    return {}


def all_facts() -> list[Facts]:
    """Return the facts of all families, by name."""
    return [facts_of(path.stem) for path in sorted(FAMILIES.glob("*.yaml"))]


def family_of_type(model_type: str) -> str:
    """Return the family of a `model_type` of ``config.json``; the type itself where no family is known by it."""
    return next((facts.family for facts in all_facts() if facts.model_type == model_type), model_type)


def family_of_config(config: Mapping[str, Any]) -> str | None:
    """Return the family of a ``config.json``; None where nothing in it tells."""
    if config.get("model_type"):
        return family_of_type(str(config["model_type"]))
    model = config.get("model")
    target = str(model.get("_target_", "")) if isinstance(model, Mapping) else ""
    return next((facts.family for facts in all_facts() if facts.target and target.startswith(facts.target)), None)


def catalogue() -> list[dict[str, Any]]:
    """Return what was published of all families, an entry each, with its family."""
    return [
        {"family": facts.family, "objective": facts.objective, **entry}
        for facts in all_facts()
        for entry in facts.published
    ]
