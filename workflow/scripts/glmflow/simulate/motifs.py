"""The grammar: which motifs there are, and the activity that a promoter sequence has by them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glmflow.config.simulation_settings import PromoterSettings
from glmflow.simulate.sequence import N, decode, opposite_strand

MOTIF_BP = 8
PAIR_DISTANCE_BP = 12  # from the first base of one motif of the pair to the first base of the other
STRAND_SPECIFIC = 2  # index of the motif that acts on the gene's own strand only
SATURATION = 0.15
_WORDS = 4**MOTIF_BP
_PLACES = 4 ** np.arange(MOTIF_BP - 1, -1, -1)
DECIMALS = 6  # of log activities and mean coverage: the last bits differ between processors
_IUPAC = {"A": "A", "C": "C", "G": "G", "T": "T", "AC": "M", "AG": "R", "AT": "W", "CG": "S", "CT": "Y", "GT": "K"}


@dataclass(frozen=True)
class Grammar:
    """Motifs (K), their occupancy of every word of 8 bases, and their effects by biosample (B).

    Attributes
    ----------
    first, second
        uint8[K, 8]: the base wanted at each position, and the other one allowed; they differ at one position.
    occupancy
        float32[4**8 + 1, 2, K]: occupancy of each word, read as it stands and as its reverse complement; the last
        row is any word that holds an N.
    effects
        float64[B, K]: what one occupied site adds to the log activity.
    """

    first: np.ndarray
    second: np.ndarray
    occupancy: np.ndarray
    effects: np.ndarray
    pair_effect: float
    distance_sd_bp: float

    @property
    def names(self) -> list[str]:
        """TF1, TF2, ..."""
        return [f"TF{k + 1}" for k in range(len(self.first))]

    @property
    def consensus(self) -> list[str]:
        """Each motif in IUPAC letters."""
        words = zip(map(decode, self.first), map(decode, self.second), strict=True)
        return ["".join(_IUPAC["".join(sorted({a, b}))] for a, b in zip(*pair, strict=True)) for pair in words]

    @property
    def pair(self) -> tuple[int, int]:
        """Indices of the two motifs that act together."""
        return len(self.first) - 2, len(self.first) - 1


def draw_grammar(settings: PromoterSettings, rng: np.random.Generator) -> Grammar:
    """Draw motifs of 8 bases, one of them degenerate, that are unlike each other on both strands."""
    first: list[np.ndarray] = []
    while len(first) < len(next(iter(settings.effects.values()))):
        motif = rng.integers(0, 4, MOTIF_BP).astype(np.uint8)
        balanced = 3 <= np.isin(motif, (1, 2)).sum() <= 5
        others = [*first, *(opposite_strand(other) for other in first), opposite_strand(motif)]
        if balanced and not any(_alike(motif, other) for other in others):
            first.append(motif)
    wanted = np.stack(first)
    allowed = wanted.copy()
    rows, columns = np.arange(len(wanted)), rng.integers(0, MOTIF_BP, len(wanted))
    allowed[rows, columns] = (wanted[rows, columns] + rng.integers(1, 4, len(wanted))) % 4
    return Grammar(
        first=wanted,
        second=allowed,
        occupancy=_occupancy(wanted, allowed),
        effects=np.array([settings.effects[name] for name in settings.biosamples], float),
        pair_effect=settings.pair_effect,
        distance_sd_bp=settings.distance_sd_bp,
    )


def _alike(motif: np.ndarray, other: np.ndarray) -> bool:
    """Whether two motifs agree at all but two of their overlapping bases, at an offset of up to 3."""
    return any(
        (a == b).sum() >= MOTIF_BP - shift - 2
        for shift in range(4)
        for a, b in (
            (motif[shift:], other[: MOTIF_BP - shift]),
            (other[shift:], motif[: MOTIF_BP - shift]),
        )
    )


def _occupancy(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Occupancy of every word: sigmoid((score - (best score - 3)) / 0.6), score a log-odds in bits."""
    probability = np.full((*first.shape, 4), 0.02)
    for motif, positions in enumerate(probability):
        for position, row in enumerate(positions):
            bases = [first[motif, position], second[motif, position]]
            row[bases] = (1 - 0.02 * (4 - len(set(bases)))) / len(set(bases))
    bits = np.log2(probability / 0.25)
    words = np.arange(_WORDS)[:, None] // _PLACES % 4
    occupancy = np.zeros((_WORDS + 1, 2, len(first)), np.float32)
    for strand, read in enumerate((words, 3 - words[:, ::-1])):
        score = sum(bits[:, position, read[:, position]] for position in range(MOTIF_BP))
        best = bits.max(2).sum(1)[:, None]
        occupancy[:_WORDS, strand] = (1 / (1 + np.exp(-(score - best + 3) / 0.6))).T
    occupancy[:, 1, STRAND_SPECIFIC] = 0
    return occupancy


def log_activity(grammar: Grammar, promoters: np.ndarray, batch: int = 512) -> np.ndarray:
    """Return the log activity of promoters: float64[S, B].

    Each motif k gives s_k, the sum over both strands and all places of its occupancy times exp(-d^2 / 2 sd^2), d the
    distance of the site's middle to the transcription start; the pair gives the same sum over the product of its two
    occupancies at their fixed distance. Log activity = sum of effect_k * s_k / (1 + 0.15 s_k).

    Parameters
    ----------
    promoters
        uint8[S, L] codes in the gene's direction, the last base next to the transcription start, padded with N on
        the left where a promoter is shorter than L.
    """
    batches = [_log_activity(grammar, promoters[first : first + batch]) for first in range(0, len(promoters), batch)]
    return np.concatenate([np.zeros((0, len(grammar.effects))), *batches]).round(DECIMALS)


def _log_activity(grammar: Grammar, promoters: np.ndarray) -> np.ndarray:
    places = promoters.shape[1] - MOTIF_BP + 1
    words = sum(promoters[:, i : i + places].astype(np.int32) * int(place) for i, place in enumerate(_PLACES))
    unknown = np.cumsum(np.pad(promoters == N, ((0, 0), (1, 0))), 1)
    words[unknown[:, MOTIF_BP:] > unknown[:, :-MOTIF_BP]] = _WORDS
    distance = np.arange(places, 0, -1) - 1 + MOTIF_BP / 2
    weight = np.exp(-(distance**2) / (2 * grammar.distance_sd_bp**2)).astype(np.float32)
    occupancy = grammar.occupancy[words]  # [S, places, 2, K]
    single = np.einsum("spck,p->sk", occupancy, weight, dtype=np.float64)
    left, right = grammar.pair
    here, there = occupancy[:, :-PAIR_DISTANCE_BP], occupancy[:, PAIR_DISTANCE_BP:]
    both = here[:, :, 0, left] * there[:, :, 0, right] + here[:, :, 1, right] * there[:, :, 1, left]
    pair = both @ weight[:-PAIR_DISTANCE_BP].astype(np.float64)
    return _saturate(single) @ grammar.effects.T + _saturate(pair)[:, None] * grammar.pair_effect


def _saturate(sites: np.ndarray) -> np.ndarray:
    return sites / (1 + SATURATION * sites)
