"""Bases as codes (A C G T N = 0 1 2 3 4), and the sequence of a made genome: background and gene bodies."""

from __future__ import annotations

import numpy as np

from glmflow.config.simulation_settings import GeneSettings

LETTERS = np.frombuffer(b"ACGTN", np.uint8)
N = 4
TATA = "TATAAA"
TATA_DISTANCE_BP = 31  # from the first base of the box to the transcription start
POLY_A = "AATAAA"
POLY_A_DISTANCE_BP = 20  # from the first base of the signal to the end of the transcript
DONOR = "GTAAGT"
ACCEPTOR = "CAG"
PYRIMIDINE_TRACT_BP = 12
STOP_CODONS = ("TAA", "TAG", "TGA")
BASE_FREQUENCIES = (0.28, 0.22, 0.22, 0.28)

_CODE_OF_LETTER = np.full(256, N, np.uint8)
_CODE_OF_LETTER[LETTERS] = np.arange(5)
_CODE_OF_LETTER[np.frombuffer(b"acgtn", np.uint8)] = np.arange(5)


def encode(letters: str | bytes | np.ndarray) -> np.ndarray:
    """Return the codes (uint8) of a sequence; every letter but A, C, G and T is N."""
    if isinstance(letters, str):
        letters = letters.encode()
    return _CODE_OF_LETTER[np.frombuffer(letters, np.uint8) if isinstance(letters, bytes) else letters]


def decode(codes: np.ndarray) -> str:
    """Return the letters of a sequence of codes."""
    return LETTERS[codes].tobytes().decode()


def opposite_strand(codes: np.ndarray) -> np.ndarray:
    """Return the other strand, read in its own direction."""
    return np.where(codes == N, N, 3 - codes)[::-1].astype(np.uint8)


def oriented(codes: np.ndarray, strand: str) -> np.ndarray:
    """Turn genome-wise codes into the direction of `strand`, or back."""
    return codes if strand == "+" else opposite_strand(codes)


def background(length: int, rng: np.random.Generator) -> np.ndarray:
    """Draw independent bases (uint8 codes)."""
    return rng.choice(4, size=length, p=BASE_FREQUENCIES).astype(np.uint8)


def codon_frequencies(settings: GeneSettings, rng: np.random.Generator) -> np.ndarray:
    """Draw the frequency of each of the 64 codons, log-normal, stop codons absent: the bias that marks exons."""
    weights = np.exp(rng.normal(0, settings.codon_log_sd, 64))
    for codon in STOP_CODONS:
        weights[encode(codon) @ np.array([16, 4, 1])] = 0
    return weights / weights.sum()


def write_gene(
    sequence: np.ndarray,
    span: tuple[int, int],
    strand: str,
    exons: np.ndarray,
    codons: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Write a gene's body and core promoter into the genome, in place.

    Exons are read in one frame over the spliced transcript; introns begin with a donor site and end with a
    pyrimidine tract and an acceptor; a TATA box stands before the start, a polyadenylation signal before the end.

    Parameters
    ----------
    sequence
        Codes of the whole contig.
    span, strand
        Start and end of the gene (bp, 0-based half-open) and its strand.
    exons
        int64[exons, 2]: start and end of its exons, in genome order.
    codons
        Frequency of each codon.
    """
    first, last = span
    length = last - first
    body = oriented(sequence[first:last], strand).copy()
    spans = exons - first
    if strand == "-":
        spans = length - spans[::-1, ::-1]
    exonic = np.concatenate([np.arange(start, end) for start, end in spans])
    triplets = rng.choice(64, size=-(-len(exonic) // 3), p=codons)
    body[exonic] = np.stack([triplets // 16, triplets // 4 % 4, triplets % 4], 1).ravel()[: len(exonic)]
    for start, end in zip(spans[:-1, 1], spans[1:, 0], strict=True):
        _write(body, start, DONOR)
        _write(body, end - len(ACCEPTOR), ACCEPTOR)
        tract = slice(end - len(ACCEPTOR) - PYRIMIDINE_TRACT_BP, end - len(ACCEPTOR))
        body[tract] = rng.choice(encode("CT"), PYRIMIDINE_TRACT_BP)
    _write(body, length - POLY_A_DISTANCE_BP, POLY_A)
    sequence[first:last] = oriented(body, strand)
    tata = first - TATA_DISTANCE_BP if strand == "+" else last + TATA_DISTANCE_BP - len(TATA)
    sequence[tata : tata + len(TATA)] = oriented(encode(TATA), strand)


def _write(body: np.ndarray, start: int, letters: str) -> None:
    body[start : start + len(letters)] = encode(letters)
