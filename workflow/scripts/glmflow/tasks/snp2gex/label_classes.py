"""Label classes: which genes and which samples of a row were seen in training, in the spelling of the hackathon's scorer.

The hackathon's description spells its classes `seen gene seen individuals`, its scorer `seen genes seen individuals`;
with the former in `partitions.csv` the scorer finds nothing.
"""

from __future__ import annotations

SEEN_SEEN = "seen genes seen individuals"
SEEN_UNSEEN = "seen genes unseen individuals"
UNSEEN_SEEN = "unseen genes seen individuals"
UNSEEN_UNSEEN = "unseen genes unseen individuals"
UNSEEN = "unseen genes"

SCORED = (SEEN_SEEN, SEEN_UNSEEN, UNSEEN)
"""The classes of the hackathon's scorer, in its order."""


def subset_name(seen_gene: bool, seen_person: bool) -> str:
    """Return the class of a gene and a sample."""
    return f"{'seen' if seen_gene else 'unseen'} genes {'seen' if seen_person else 'unseen'} individuals"


def scorer_spelling(label: object) -> str:
    """Return a class as the scorer spells it; what is no class stays as it is.

    All classes of unseen genes are one class there.
    """
    text = " ".join(str(label).lower().split()).replace("gene ", "genes ")
    if text.startswith("unseen gene"):
        return UNSEEN
    return text if text in SCORED else str(label)
