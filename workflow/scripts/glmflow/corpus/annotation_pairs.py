"""Pairs of DNA and text from annotated genomes, to learn one from the other.

Text says what a feature is and does, and never who found it: no authors, journals, notes, evidence or references. Pairs whose
proteins (or, of other features, bases) are alike stay in one split, or text would be recalled through relatives.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.dna.kmer_tables import kmer_index
from glmflow.dna.open_frames import peptide_index
from glmflow.genome.canonical import canonical_kmers

from .corpus_build import suspected
from .genbank_features import Feature, Place, places_of, read_features, spliced
from .sequence_records import CODE, Record

KINDS = ("CDS", "rRNA", "tRNA", "ncRNA", "regulatory", "repeat_region")
SAID = ("gene", "product", "function", "EC_number", "regulatory_class", "ncRNA_class", "rpt_family")
OF_RECORD = ("species", "lineage", "molecule", "topology", "division")
"""What the features of one record have in common: it stands first, so that it can be said alone."""
GO = ("GO_process", "GO_function", "GO_component")
HYPOTHETICAL = re.compile(r"hypothetical|uncharacteri[sz]ed|unknown function", re.IGNORECASE)
ALIKE = 0.3
"""Share of the peptides (or bases' k-mers) of the smaller of two features from which on they stay in one split."""
PEPTIDE, BASES = 6, 21
COMMON = 50
"""Features that hold a k-mer, from which on it tells nothing: a low-complexity one would join everything."""
SENTENCES = (
    "{what} of {species}.",
    "This is {what}, found in {species}.",
    "In {species} this stretch of DNA is {what}.",
    "{species}: {what}.",
    "DNA of {species} that is {what}.",
    "What follows was read from {species}; it is {what}.",
)


class Pair(NamedTuple):
    """One feature and what is said of it.

    Attributes
    ----------
    name, kind
        ``accession:start-end(strand)`` (1-based, as GenBank writes it), and the kind of feature.
    dna
        Upper-case letters as they are read; of a coding sequence from its first whole codon.
    tags
        What is known, by name, in the order that it is written.
    table
        Genetic code of a coding sequence; 0 of others.
    """

    name: str
    kind: str
    dna: str
    tags: Mapping[str, str]
    table: int


def pairs_of(path: Path, left_out: Counter[str], shortest: int = 30, flank: int = 0) -> Iterator[Pair]:
    """Yield the pairs of a GenBank file, and count what is left out by reason.

    Left out are viruses of eukaryotes (`corpus_build.suspected`), partial and pseudo features, those spliced from several
    transcripts, parts of other sequences, those with unknown bases, and those of which the file says nothing but the kind.

    Parameters
    ----------
    flank
        Bases on either side of a feature that are taken along, where the sequence has them.

    Raises
    ------
    InputError
        It is no GenBank file, or cut off, or a location cannot be read.
    """
    for record, bases, features in read_features(path):
        if suspected(record, ""):
            left_out["of viruses of eukaryotes"] += sum(feature.kind in KINDS for feature in features)
            continue
        source = next((one for one in features if one.kind == "source"), Feature("source", ""))
        for feature in features:
            if feature.kind not in KINDS:
                continue
            if reason := unfit(feature):
                left_out[reason] += 1
                continue
            found, whole = places_of(feature, record.name, path)
            if not whole:
                left_out["partial, or of another sequence"] += 1
                continue
            dna = spliced(bases, found)
            start = feature.first("codon_start")
            dna = dna[int(start) - 1 if start.isdigit() else 0 :]
            short = len(dna) < shortest
            low, high = min(place.start for place in found), max(place.end for place in found)
            forward = found[0].forward
            if flank and len(found) == 1:
                before, after = bases[max(0, low - flank) : low], bases[high : high + flank]
                wide = np.concatenate([before, bases[low:high], after])
                dna = spliced(wide, [Place(0, len(wide), forward)])
            if short or (CODE[dna] > 3).any():
                left_out["short, or with unknown bases"] += 1
                continue
            tags = tags_of(record, source, feature)
            if not set(tags) & {*SAID, *GO}:
                left_out["nothing said of it"] += 1
                continue
            name = f"{record.name}:{low + 1}-{high}({'+' if forward else '-'})"
            table = int(feature.first("transl_table") or 1) if feature.kind == "CDS" else 0
            yield Pair(name, feature.kind, dna.tobytes().decode(), tags, table)


def unfit(feature: Feature) -> str | None:
    """Return why a feature is left out; None where it is not."""
    for flag in ("pseudo", "pseudogene", "trans_splicing"):
        if flag in feature.qualifiers:
            return flag
    return None


def tags_of(record: Record, source: Feature, feature: Feature) -> dict[str, str]:
    """Return what is known of a feature, by name; what is not known is left out."""
    found = {
        "species": source.first("organism") or record.species,
        "lineage": "; ".join(record.lineage),
        "molecule": source.first("mol_type"),
        "topology": "circular" if record.circular else "linear",
        "division": record.code,
        "type": feature.kind,
    }
    for name in SAID:
        found[name] = "; ".join(dict.fromkeys(feature.qualifiers.get(name, [])))
    for name in GO:
        # `GO:0006412 - translation [Evidence IEA]`: the evidence is no part of what is said.
        terms = [re.sub(r"\s*\[.*?\]\s*", " ", term).strip() for term in feature.qualifiers.get(name, [])]
        found[name] = "; ".join(dict.fromkeys(terms))
    return {name: value for name, value in found.items() if value}


def structured(tags: Mapping[str, str], dna: str | None = None) -> str:
    """Return tags as one line, as ``<gene>dnaK</gene>``, the DNA last where it is given."""
    parts = [f"<{name}>{value}</{name}>" for name, value in tags.items()]
    return "".join([*parts, f"<dna>{dna}</dna>"] if dna is not None else parts)


def sentence(tags: Mapping[str, str], rng: np.random.Generator) -> str:
    """Return tags as a sentence, drawn from several."""
    kind = {"CDS": "coding sequence", "regulatory": tags.get("regulatory_class", "regulatory") + " element"}
    what = f"a {kind.get(tags['type'], tags['type'].replace('_', ' '))}"
    if "gene" in tags:
        what += f" of gene {tags['gene']}"
    if "product" in tags:
        what += f" for {tags['product']}"
    if "EC_number" in tags:
        what += f" (EC {tags['EC_number']})"
    does = tags.get("function") or tags.get("GO_process") or tags.get("GO_function")
    if does:
        what += f", which takes part in {re.sub(r'GO:[0-9]+ - ', '', does)}"
    text = SENTENCES[rng.integers(len(SENTENCES))].format(what=what, species=tags.get("species", "an unknown organism"))
    return text[0].upper() + text[1:]


def capped(pairs: Sequence[Pair], most: float, rng: np.random.Generator) -> list[Pair]:
    """Return pairs of which at most a share are coding sequences of unknown function, drawn."""
    unknown = [place for place, pair in enumerate(pairs) if HYPOTHETICAL.search(pair.tags.get("product", ""))]
    room = int(most / (1 - most) * (len(pairs) - len(unknown))) if most < 1 else len(unknown)
    kept = set(rng.permutation(unknown)[:room].tolist())
    return [pair for place, pair in enumerate(pairs) if place in kept or place not in set(unknown)]


def clusters(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """Return the cluster of each pair, ``int64[n]``: single linkage of features that share peptides, or k-mers of bases."""
    words = [np.unique(_words(pair)) for pair in pairs]
    holders: dict[tuple[bool, int], list[int]] = defaultdict(list)
    for number, (own, pair) in enumerate(zip(words, pairs)):
        for word in own.tolist():
            holders[pair.kind == "CDS", word].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for some in holders.values():
        if 1 < len(some) < COMMON:
            shared.update(combinations(some, 2))
    label = np.arange(len(pairs))

    def root(number: int) -> int:
        while label[number] != number:
            label[number] = label[label[number]]
            number = int(label[number])
        return number

    same: dict[str, int] = {}
    for number, pair in enumerate(pairs):  # what is too short or too common to be compared: at least the same bases
        label[root(number)] = root(same.setdefault(pair.dna, number))
    for (one, other), count in shared.items():
        if count >= ALIKE * min(len(words[one]), len(words[other])):
            label[root(one)] = root(other)
    return np.unique([root(number) for number in range(len(pairs))], return_inverse=True)[1]


def _words(pair: Pair) -> NDArray[np.int64]:
    bases = np.frombuffer(pair.dna.encode(), np.uint8)
    if pair.kind == "CDS":
        found = peptide_index(bases, PEPTIDE)[::3]
        return found[found >= 0]
    if len(bases) < BASES:
        return kmer_index(bases, 6)
    kmers, _, valid = canonical_kmers(CODE[bases], BASES)
    return kmers[valid].astype(np.int64)


def splits_of(label: NDArray[np.int64], validation: float, test: float, rng: np.random.Generator) -> list[str]:
    """Return the split of each pair: whole clusters, drawn until a split has its share of the pairs."""
    sizes = np.bincount(label)
    split = np.full(len(sizes), "train", object)
    for name, share in (("test", test), ("validation", validation)):
        room = share * len(label)
        for cluster in rng.permutation(len(sizes)):
            if split[cluster] == "train" and sizes[cluster] <= room:
                split[cluster], room = name, room - sizes[cluster]
    return split[label].tolist()


def rows(
    pairs: Sequence[Pair], label: NDArray[np.int64], split: Sequence[str], dropped: float, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield the lines that are written: of each pair both orders, text to DNA and DNA to text; the loss is on `target`.

    Parameters
    ----------
    dropped
        Share of the training pairs whose prompt has no text (half of them), for guidance, or the organism alone: what a model
        has never been shown would tell nothing of what it is worth.
    """
    for pair, cluster, name in zip(pairs, label.tolist(), split):
        text = structured(pair.tags) if rng.random() < 0.5 else sentence(pair.tags, rng)
        lottery = rng.random()
        less = (
            "" if lottery < dropped / 2 else structured({key: pair.tags[key] for key in OF_RECORD if key in pair.tags})
        )
        shown = less if name == "train" and lottery < dropped else text
        common = {"id": pair.name, "type": pair.kind, "split": name, "cluster": cluster, "transl_table": pair.table}
        common["tags"] = dict(pair.tags)
        yield common | {"order": "text_to_dna", "prompt": shown, "target": pair.dna}
        yield common | {"order": "dna_to_text", "prompt": pair.dna, "target": text}
