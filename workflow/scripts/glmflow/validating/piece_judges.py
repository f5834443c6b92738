"""What models, motifs and profiles are asked of a piece of sequence, by the command and by the job of a study alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from glmflow.likeness.further_measures import Further

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glmflow.models.adapter import Adapter


def judges(
    judge: Path | None,
    embed: Path | None,
    motifs: Path | None,
    hmms: Path | None = None,
    evalue: float | None = None,
    gathering: bool = False,
) -> Further:
    """Return what is asked of pieces: folders of two models, files of motifs and of profile HMMs, each where there is one.

    Files are read before models, so that what is wrong with them is said first.

    Parameters
    ----------
    evalue, gathering
        What a hit to a profile is, as `read_profiles` takes it.

    Raises
    ------
    InputError
        A model or a file cannot be read.
    """
    families = families_of(hmms, evalue, gathering) if hmms else None
    sites = motifs_of(motifs) if motifs else None
    return Further(bits_under(judge) if judge else None, states_under(embed) if embed else None, sites, families)


def bits_under(folder: Path) -> Callable[[str], float]:
    """Return a function from a sequence to its bits under a model, both strands averaged where it is causal.

    Raises
    ------
    InputError
        The model cannot be loaded or has no head.
    """
    from glmflow.models.loading import require_head

    model = _model(folder)
    require_head(model, folder, "judge with")

    def bits(sequence: str) -> float:
        return -float(model.log_likelihood([sequence], chunk=True)[0]) / math.log(2)

    return bits


def states_under(folder: Path) -> Callable[[str], NDArray]:
    """Return a function from a sequence to the mean of its states under a model, both strands averaged, `[D]`.

    Raises
    ------
    InputError
        The model cannot be loaded.
    """
    from glmflow.apply.embed import Request, states_of
    from glmflow.genome.canonical import as_bases

    model = _model(folder)
    request = Request(folder, None, "mean", None, both_strands=True)
    return lambda sequence: states_of(model, [as_bases(sequence)], request)[0].astype(float)


def motifs_of(path: Path) -> Callable[[str], NDArray]:
    """Return a function from a sequence to whether each motif of a file has a site in it (p of 10⁻⁴, either strand), `[m]`.

    Raises
    ------
    InputError
        It is no file of motifs.
    """
    import numpy as np

    from glmflow.binding.motif_files import read_motifs
    from glmflow.binding.motif_scan import best_sites, threshold_of

    matrices = [motif.log_odds() for motif in read_motifs(path)]
    least = np.array([threshold_of(matrix) for matrix in matrices])
    return lambda sequence: best_sites([sequence], matrices).score[0] >= least


def families_of(path: Path, evalue: float | None = None, gathering: bool = False) -> Callable[[str], NDArray]:
    """Return a function from a sequence to what `family_counts` counts of its proteins and the profiles of a file, `[3 + m]`.

    Raises
    ------
    InputError
        It is no file of profiles of proteins, or pyhmmer is not installed.
    """
    from glmflow.dna.protein_profiles import proteins, read_profiles
    from glmflow.likeness.protein_families import family_counts

    profiles = read_profiles(path, evalue, gathering)

    def families(sequence: str) -> NDArray:
        hits = [profiles.families_of(protein) for protein in proteins(sequence)]
        return family_counts(hits, len(profiles.names), len(sequence))

    return families


@lru_cache(maxsize=2)  # the judge is often the model that embeds too
def _model(folder: Path) -> Adapter:
    import torch

    from glmflow.models import load_model
    from glmflow.models.model_commands import model_folder

    model = load_model(model_folder(folder))
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
