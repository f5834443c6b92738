"""What the text of a question says: gene, network, genes of the pathway, chromosome, position."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

GENE = re.compile(r"effect of this (.+?) allele,")
ELEMENT = re.compile(r"\w+")
PLACE = {
    "chromosome": re.compile(r"\bchromosome(?:\s+number)?\s*[:=]?\s*(?:chr)?([0-9]{1,2}|X|Y|MT?)\b", re.IGNORECASE),
    "position": re.compile(r"\bposition\s*[:=]?\s*([0-9][0-9,]*)", re.IGNORECASE),
    "gene": re.compile(r"\bgene\s*[:=]?\s*([A-Z][A-Za-z0-9-]*)"),
}
EMPTY: Mapping[str, Any] = {"gene": None, "network": None, "pathway": None, "chromosome": None, "position": None}


def pathway_question(question: str) -> dict[str, Any]:
    """Return `gene`, `network`, `pathway` (the genes of the pathway as written) and `chromosome` of a KEGG question."""
    found = dict(EMPTY)
    if match := GENE.search(question):
        found["gene"] = match[1]
    for line in question.split("\n"):
        label, _, rest = line.partition(": ")
        key = {
            "Chromosome Number": "chromosome",
            "Network Definition of the pathway": "network",
            "Genes in the pathway": "pathway",
        }.get(label)
        if key:
            found[key] = rest.strip()
    return found


def placed_question(question: str) -> dict[str, Any]:
    """Return what a question says of where a variant lies: `chromosome`, `position` (from 1), `gene`."""
    found = dict(EMPTY)
    for key, pattern in PLACE.items():
        if match := pattern.search(question):
            found[key] = int(match[1].replace(",", "")) if key == "position" else match[1]
    return found


def network_key(network: str | None) -> str | None:
    """Return a network without the marks of what is mutated."""
    return None if network is None else network.replace("*", "")


def pathway_genes(pathway: str | None) -> frozenset[str]:
    """Return the symbols of the genes of a pathway: `SYM; name | SYM; name`."""
    return frozenset(one.split(";")[0].strip() for one in (pathway or "").split("|")) - {""}


def network_elements(network: str | None) -> frozenset[str]:
    """Return the words of a network: its genes and molecules, without arrows and marks."""
    return frozenset(ELEMENT.findall(network or ""))


def variant_effect_answer(answer: str) -> str:
    """Return the class of an answer `Pathogenic; disease`: what stands before the semicolon, in lower case."""
    return answer.split(";")[0].strip().lower()


def list_free_answer(answer: str) -> str:
    """Return an answer without the marks of a list of names (`['A_b', 'C_d']` is `A b, C d`)."""
    return re.sub(r"[\[\]']", "", answer).replace("_", " ").strip()


def list_free_class(answer: str) -> str:
    """Return the class of an answer whose diseases may be written as a list: first the marks go, then what they name."""
    return variant_effect_answer(list_free_answer(answer))


Answer = Callable[[str], str]
