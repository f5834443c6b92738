"""Kind `rnaseq_tracks`: per-base coverage from windows of sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..adaptations import Adaptation
from ..base import Block, Fraction, Label, Place, Positive
from ..blocks import LossBlock
from ..contig_lengths import held_out_windows, training_windows, windows_on
from ..losses import Loss
from ..task_block import Files, TaskBlock, Work
from ..views import Run, StudyView
from ..words import suggest


class Windows(Block):
    """Overlapping windows along the reference; the last one ends flush with its contig."""

    size: Positive = Field(32_768, description="Window length in bp.")
    overlap: Annotated[int, Field(ge=0)] = Field(16_384, description="Bases shared by neighbouring windows.")
    max_n_fraction: Fraction = Field(0.1, description="Windows with a larger share of N are left out (and counted).")

    @model_validator(mode="after")
    def _step(self) -> Windows:
        if self.overlap >= self.size:
            raise ValueError(
                f"overlap {self.overlap} is not smaller than size {self.size}: no window would ever advance; use half the size"
            )
        return self


class Scaling(Block):
    """Targets are divided by the track's mean over non-zero training bases, squashed and soft-clipped."""

    squash: bool = Field(True, description="Raise to the power 0.75 (RNA-seq).")
    soft_clip: Annotated[float, Field(gt=0)] = Field(10.0, description="Values above grow as a square root.")


class Labelled(Block):
    """The part of the training contigs whose tracks are learned from; models may be pretrained on the rest."""

    contigs: Annotated[list[Label], Field(min_length=1)] = Field(description="Training contigs with labels.")
    bp: Positive | None = Field(None, description="Labelled bases at the start of each; whole contigs where left out.")


class TrackHaplotypes(Block):
    """Training windows that carry the variants of samples; validation and test windows are those of the reference."""

    share: Fraction = Field(
        0.5, description="Share of the training windows that are a haplotype of a sample, drawn in each epoch."
    )
    variants: Literal["all", "snv"] = Field("all", description="`snv` keeps every coordinate of the reference.")
    inserted: Literal["masked", "repeat5p"] = Field(
        "masked",
        description="Inserted bases take no part in the loss, or repeat the value of the base before them (5').",
    )


class RnaseqTracks(TaskBlock):
    """Per-base coverage from windows of sequence."""

    kind: Literal["rnaseq_tracks"]
    input = "track_windows"
    target = "coverage"
    refused = {"zero-shot": "coverage cannot be read off a language model without a trained head"}
    options = frozenset({"train.crop", "train.reverse_complement"})
    frozen_options = options
    training = frozenset({"haplotypes", "scaling", "loss"})
    writes = {"tracks": "", "means": ".parquet", "variants": ".vcf.gz"}
    page = "tracks"

    windows: Windows = Field(default_factory=Windows, description="Windows along the reference.")
    tracks: list[Label] | None = Field(None, description="Tracks to predict together; all where left out.")
    labelled: Labelled | None = Field(
        None,
        description="Learn from the tracks of a part of the training contigs alone, as if nothing had been measured on the "
        "rest; baselines as well. Only the mean that targets are divided by is that of all of them.",
    )
    scaling: Scaling = Field(default_factory=Scaling, description="Scaling of the targets.")
    haplotypes: TrackHaplotypes | None = Field(
        None, description="Learn from haplotypes of the cohort too, the labels carried along; needs `cohort`."
    )
    loss: Loss | None = Field(None, description="Training loss, where the adaptation names none; `mse` by default.")
    trim: Annotated[int, Field(ge=0)] = Field(100, description="Bases at each end of a window that are not scored.")
    bootstrap: Positive = Field(200, description="Bootstrap draws behind each interval.")

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    @model_validator(mode="before")
    @classmethod
    def _earlier_spelling(cls, value: Any) -> Any:
        """Read `tweedie_power` beside `loss: tweedie` as the setting of that loss."""
        if isinstance(value, Mapping) and "tweedie_power" in value:
            power = value["tweedie_power"]
            value = {key: other for key, other in value.items() if key != "tweedie_power"}
            if value.get("loss") == "tweedie":
                value["loss"] = {"kind": "tweedie", "power": power}
        return value

    @model_validator(mode="after")
    def _trim(self) -> RnaseqTracks:
        if 2 * self.trim > self.windows.overlap:
            raise ValueError(
                f"trim {self.trim} at both ends is more than the overlap {self.windows.overlap}: bases between windows "
                "would never be scored; lower trim or raise the overlap"
            )
        return self

    @property
    def own_loss(self) -> LossBlock | None:
        """Training loss that the task names, for adaptations that name none."""
        return self.loss

    def track_names(self, study: StudyView) -> list[str]:
        """Return the names of the tracks that are predicted, in their order."""
        return list(self.tracks) if self.tracks else list(study.data.tracks)

    def has(self, study: StudyView) -> frozenset[str]:
        """Return what it has of what baselines may need beside its target."""
        return frozenset({"genes"} if study.data.reference and study.data.reference.annotation else ())

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        reference = f"{study.results}/reference"
        genome: Files = {"fasta": f"{reference}/genome.fa", "index": f"{reference}/genome.fa.fai"}
        annotation: Files = {"genes": f"{reference}/genes.tsv", "exons": f"{reference}/exons.tsv"}
        tracks: list[str] = [f"{study.results}/tracks/{name}.bw" for name in self.track_names(study)]
        match step:
            case "examples":
                replicates = [path for name in self.track_names(study) for path in study.data.tracks[name].replicates]
                return genome | {"blacklist": study.data.reference.blacklist or [], "replicates": replicates}
            case "train":
                carried = bool(self.haplotypes)
                samples = study.data.cohort.samples if carried else None
                return genome | {
                    "tracks": tracks,
                    "statistics": f"{study.results}/tracks/statistics.tsv",
                    "store": f"{study.results}/cohort/store" if carried else [],
                    "samples": samples or [],
                }
            case "predict":
                return genome
            case "baseline":
                return genome | annotation | {"regions": f"{study.results}/examples/regions.tsv", "tracks": tracks}
            case "score":
                return annotation | {"observed": tracks}
        return {}

    def facts(self, study: StudyView, label: str) -> dict[str, Any]:
        """Return biosample and strand of each track."""
        tracks = study.data.tracks
        return {
            "tracks": {
                name: {"biosample": tracks[name].biosample, "strand": tracks[name].strand}
                for name in self.track_names(study)
            }
        }

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check that the tracks are there, and a cohort where its haplotypes are learned from."""
        for position, track in enumerate(self.tracks or []):
            if track not in study.data.tracks:
                yield ("tracks", position), f"unknown track {track!r}{suggest(track, study.data.tracks)}"
        yield from self._unlabelled(study)
        if not self.track_names(study):
            yield (), "no tracks to predict: give `tracks:` or `simulate:`"
        if self.haplotypes and study.data.cohort is None:
            yield ("haplotypes",), "no cohort: give `cohort:` with a VCF or `simulate:`"

    def _unlabelled(self, study: StudyView) -> Iterator[tuple[Place, str]]:
        """Check that labels are those of training contigs, and enough for a window."""
        if self.labelled is None:
            return
        train = getattr(study.splits, "train", None)
        for position, name in enumerate(self.labelled.contigs):
            if train is not None and name not in train:
                text = f"contig {name!r} is no training contig{suggest(name, train)}"
                yield ("labelled", "contigs", position), text
        if self.labelled.bp is not None and self.labelled.bp < self.windows.size:
            text = f"{self.labelled.bp} bases hold no window of {self.windows.size}; label more, or use shorter windows"
            yield ("labelled", "bp"), text

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how many windows are learned from and predicted."""
        train, size = adaptation.train, self.windows.size
        held_out = held_out_windows(study, size, self.windows.overlap)
        tracks = len(self.track_names(study))
        examples = training_windows(study, size, self.windows.overlap)
        if self.labelled and self.labelled.bp:
            examples = windows_on([self.labelled.bp] * len(self.labelled.contigs), size, self.windows.overlap)
        return Work(
            length=train.crop or size,
            window=size,
            examples=examples,
            outputs=tracks,
            predicted=held_out and held_out * (2 if train.reverse_complement else 1),
            at_once=train.micro_batch,
            held=train.micro_batch,
            held_bytes=4 * size * tracks,
        )
