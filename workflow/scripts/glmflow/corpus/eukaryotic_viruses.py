"""Which records are viruses of eukaryotes: left out of a corpus by default."""

from __future__ import annotations

import re
from collections.abc import Iterable

PROKARYOTIC = frozenset(
    """
    Caudoviricetes Caudovirales Myoviridae Siphoviridae Podoviridae Microviridae Malgrandaviricetes Petitvirales
    Inoviridae Faserviricetes Tubulavirales Plectroviridae Leviviricetes Leviviridae Norzivirales Timlovirales
    Tectiviridae Corticoviridae Cystoviridae Plasmaviridae Finnlakeviridae Autolykiviridae Vinavirales
    Kalamavirales Belfryvirales Halopanivirales Sphaerolipoviridae Matsushitaviridae Simuloviridae Ligamenvirales
    Tokiviricetes Rudiviridae Lipothrixviridae Fuselloviridae Bicaudaviridae Ampullaviridae Globuloviridae
    Guttaviridae Clavaviridae Pleolipoviridae Haloruvirales Spiraviridae Thaspiviridae Portogloboviridae
    Turriviridae Ovaliviridae Halspiviridae
    """.split()  # noqa: SIM905 - a list of fifty quoted names is harder to check
)
"""Orders, classes and families whose hosts are bacteria or archaea (ICTV, old names included)."""
CELLULAR = frozenset({"Bacteria", "Archaea", "Eukaryota", "Eucarya"})
_PHAGE = re.compile(r"phage|prophage|archaeal virus|bacterial virus", re.IGNORECASE)
_VIRUS = re.compile(r"vir(?:us|al|oid|ion)\b|viruses\b|(?<!micro)(?<!mini)satellite (?:virus|RNA)", re.IGNORECASE)
_PROKARYOTE = re.compile(r"\b(?:bacteri|archae|escherichia|salmonella|pseudomonas|bacillus|haloferax|sulfolobus)", re.I)


def virus_of_eukaryotes(name: str = "", lineage: Iterable[str] = (), host: str = "", division: str = "") -> str | None:
    """Return why a record is taken for a virus of eukaryotes; None if it is none.

    A virus is left out unless something says that its host is a bacterium or an archaeon: unknown ones are left out. What
    its lineage calls an organism of cells is none, whatever its name says.

    Parameters
    ----------
    name
        Organism or definition.
    lineage
        Names of its taxa.
    host
        The source's field `host`; `lab_host` says what grows in a laboratory, no more.
    division
        As `viral` or `VRL`; PHG are phages.
    """
    taxa = [taxon.strip() for taxon in lineage]
    division = division.strip().lower()
    if division == "phg" or CELLULAR.intersection(taxa):
        return None
    if not ("Viruses" in taxa or division in ("viral", "vrl") or _VIRUS.search(name)):
        return None
    known = sorted(PROKARYOTIC.intersection(taxa))
    if known or _PHAGE.search(name) or _PROKARYOTE.search(host):
        return None
    if host:
        return f"virus with host {host}"
    return "virus whose host is not known to be a bacterium or an archaeon"
