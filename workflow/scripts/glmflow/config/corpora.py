"""What published checkpoints were trained on, so that "the test contig was in pretraining" stands beside a score."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from glmflow.errors import InputError

from .base import Block
from .syntax import read_yaml

UNKNOWN = "unknown"
HUMAN = re.compile(
    r"human(_genome)?|(homo|h)_sapiens(_.*)?|(taxid_?)?9606|t2t|hs1|hs38(dh?|d1)?|b3[678]"
    r"|(.*_)?(hg1[6-9]|hg38|grch3[678]|hs37d5|chm13(v\d+)?)(_.*)?"
)
"""Names of the species and of its assemblies, in small letters with `_` between words: GRCh38.p14 too, or 9606 of NCBI."""
HUMAN_LENGTHS = {
    *(248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422),
    *(135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167),
    *(46709983, 50818468, 156040895, 57227415),  # GRCh38: 1 to 22, X, Y
    *(249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747),
    *(135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520),
    *(48129895, 51304566, 155270560, 59373566),  # GRCh37
    *(248387328, 242696752, 201105948, 193574945, 182045439, 172126628, 160567428, 146259331, 150617247, 134758134),
    *(135127769, 133324548, 113566686, 101161492, 99753195, 96330374, 84276897, 80542538, 61707364, 66210255),
    *(45090682, 51324926, 154259566, 62460029),  # T2T-CHM13
}
HUMAN_CONTIGS = (*map(str, range(1, 23)), "x", "y", "mt")
ACCESSIONS = {"nc_000001": 1, "nc_060925": 1, "cm000663": 1}
"""First of the accessions of the human chromosomes 1 to 22, X and Y, which are numbered on (RefSeq, T2T, GenBank)."""


class Corpus(Block):
    """What a checkpoint was trained on, as its authors state it."""

    species: list[str] | Literal["unknown"] = Field(UNKNOWN, description="Species that are known to be in it.")
    complete: bool = Field(False, description="No other species is in it.")
    contigs: list[str] | Literal["all", "unknown"] = Field(UNKNOWN, description="Contigs of these species.")
    parts: bool = Field(False, description="Intervals of these contigs, not all of them.")
    held_out: list[str] = Field(default_factory=list, description="Contigs that were kept out of training.")
    populations: str = Field(UNKNOWN, description="Whose genomes: `reference`, a collection, or unknown.")
    source: str = Field("no source found", description="Who says so.")
    verified: bool = Field(False, description="It was read there.")

    @property
    def says(self) -> str:
        """The source as it stands in a sentence."""
        return f"as stated by its {self.source}" if self.verified else f"{self.source}, not verified"


class Seen(NamedTuple):
    """Whether something was in a checkpoint's training data, and a sentence that says it."""

    answer: Literal["yes", "partly", "no", "unknown"]
    sentence: str


def read_corpora(path: str | Path) -> dict[str, Corpus]:
    """Return the corpora of `config/corpora.yaml` by name."""
    return {name: Corpus.model_validate(entry) for name, entry in read_yaml(path).items()}


def corpus_of(checkpoint: str, checkpoints: dict[str, dict[str, Any]], corpora: dict[str, Corpus]) -> Corpus:
    """Return what a checkpoint was trained on; an unknown corpus for one that is not listed (a folder of one's own).

    Raises
    ------
    InputError
        The list names a corpus that is not described.
    """
    name = checkpoints.get(checkpoint, {}).get("corpus", UNKNOWN)
    if name not in corpora and name != UNKNOWN:
        raise InputError(f"no corpus {name!r}", where=f"config/models.yaml: {checkpoint}", fix="Describe it.")
    return corpora.get(name, Corpus())


def seen_in_pretraining(corpus: Corpus, contig: str, species: str = "homo_sapiens") -> Seen:
    """Return whether a contig of a species was in pretraining: yes, partly, no, or unknown.

    Parameters
    ----------
    corpus
        What the checkpoint was trained on.
    contig
        Its name, with or without `chr`.
    species
        As genus_species; names of the human genome's assemblies mean human.
    """
    species = _species(species)
    where = f"{species.replace('_', ' ')}, {contig}"
    if corpus.species == UNKNOWN:
        return Seen("unknown", f"it is not known whether {where} was in pretraining ({corpus.says})")
    if species not in map(_species, corpus.species):
        if corpus.complete:
            return Seen("no", f"{species.replace('_', ' ')} was not in pretraining ({corpus.says})")
        return Seen(
            "unknown", f"it is not known whether {where} was in pretraining among other species ({corpus.says})"
        )
    plain = _plain(contig)
    listed = [*corpus.held_out, *(corpus.contigs if isinstance(corpus.contigs, list) else [])]
    if listed and species == "homo_sapiens" and plain not in {*HUMAN_CONTIGS, *map(_plain, listed)}:
        return Seen(
            "unknown", f"the species was in pretraining; which chromosome {contig} is, is not known ({corpus.says})"
        )
    if plain in map(_plain, corpus.held_out):
        return Seen("no", f"{where} was kept out of pretraining ({corpus.says})")
    if corpus.contigs == UNKNOWN:
        return Seen("unknown", f"the species was in pretraining; whether {contig} was is not known ({corpus.says})")
    if corpus.contigs != "all" and plain not in map(_plain, corpus.contigs):
        return Seen("no", f"{where} was not in pretraining ({corpus.says})")
    if corpus.parts:
        return Seen("partly", f"parts of {where} were in pretraining ({corpus.says})")
    return Seen("yes", f"{where} was in pretraining ({corpus.says})")


def populations_seen(corpus: Corpus) -> str:
    """Return a sentence on whose genomes were in pretraining."""
    if corpus.populations == UNKNOWN:
        return f"whose genomes were in pretraining is not known ({corpus.says})"
    if corpus.populations == "reference":
        return f"pretrained on reference genomes alone ({corpus.says})"
    return f"genomes of {corpus.populations} were in pretraining: its samples are not new to the model ({corpus.says})"


def pretraining_sentences(
    corpus: Corpus, held_out: Sequence[str], lengths: Mapping[str, int], species: str | None = None
) -> list[str]:
    """Return what has to be said beside the scores of a checkpoint: whether what is held out was in its pretraining.

    Parameters
    ----------
    corpus
        What the checkpoint was trained on.
    held_out
        Contigs that are tested on.
    lengths
        Length of every contig of the genome; human assemblies are known by them.
    species
        As genus_species; None where it is not given. Lengths of human chromosomes are believed before it.
    """
    human = not HUMAN_LENGTHS.isdisjoint(lengths.values())
    if species is None and not human:
        unknown = "it is not known whether the test data were in pretraining: give `reference.species`"
        return [f"{unknown} ({corpus.says})", populations_seen(corpus)]
    sentences = []
    if human and species is not None and _species(species) != "homo_sapiens":
        sentences.append(
            f"chromosomes are as long as those of a human genome, which `reference.species: {species}` is not"
        )
        species = None
    found = [seen_in_pretraining(corpus, contig, species or "homo_sapiens") for contig in held_out]
    for answer in dict.fromkeys(seen.answer for seen in found):
        own = [seen.sentence for seen in found if seen.answer == answer]
        more = f"; so of {len(own) - 1} more contigs" if len(own) > 1 else ""
        sentences.append(own[0] + more)
    return [*sentences, populations_seen(corpus)]


def _species(name: str) -> str:
    """Return a species as genus_species in small letters."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return "homo_sapiens" if HUMAN.fullmatch(plain) else plain


def _plain(contig: str) -> str:
    """Return a contig's name without `chr`; the mitochondrion is MT, accessions of human chromosomes are these."""
    plain = re.sub(r"^chr(omosome)?_?", "", contig.strip().lower())
    accession = re.fullmatch(r"([a-z]+_?)(\d{6})(\.\d+)?", plain)
    if accession:
        for first, number in ACCESSIONS.items():
            place = int(accession[2]) - int(first[-6:]) + number
            if first.startswith(accession[1]) and 0 < place <= 24:
                return HUMAN_CONTIGS[place - 1]
    return "mt" if plain in ("m", "nc_012920.1") else plain
