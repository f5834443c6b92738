"""Kind `base_labels`: the class of every base, or of every bin of bases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from glmflow.errors import InputError

from ..adaptations import Adaptation
from ..base import Block, Fraction, Label, Place, Positive
from ..benchmark_sets import benchmark_set
from ..contig_lengths import held_out_windows, training_windows
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView


class LabelWindows(Block):
    """Windows along the reference whose bases have labels."""

    size: Positive = Field(1024, description="Length of a window in bp.")
    overlap: Annotated[int, Field(ge=0)] = Field(0, description="Bases that neighbouring windows share.")
    max_n_fraction: Fraction = Field(0.1, description="Windows with a larger share of N are left out.")
    labelled_only: bool = Field(False, description="Leave out training windows in which every base is background.")


class LabelledRegions(Block):
    """Regions with a row of labels each, as BEND has them."""

    bed: str = Field(
        description="BED file of regions, with or without a header (`chromosome`, `start`, `end`, `split`)."
    )
    hdf5: str = Field(description="HDF5 file with the labels of each region in the order of the BED file.")
    data_set: str = Field(
        "labels", description="Its data set; a negative number or a bin beyond a region is not scored."
    )
    given_splits: bool = Field(False, description="Take the column `split` in place of the splits of the study.")
    fold: Positive | None = Field(
        None,
        description="Fold of the cross-validation, from 1, if the column `split` names parts: that part by name is the test, the "
        "next one validation. Make a task of each fold.",
    )

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is read of given splits alone."""
        if self.fold is not None and not self.given_splits:
            yield "fold", "it is read of `given_splits: true`"


class BaseLabels(ControlledTask):
    """The class of every base or bin of windows of the reference, from labelled segments."""

    kind: Literal["base_labels"]
    input = "labelled_bases"
    target = "base_class"
    refused = {"zero-shot": "classes cannot be read off a language model without a trained head"}
    options = frozenset({"train.reverse_complement"})
    frozen_options = options
    page = "bases"

    segments: str | None = Field(
        None, description="BED of labelled segments: the class is the name (fourth column), `-` segments on strand `-`."
    )
    regions: LabelledRegions | None = Field(
        None, description="Regions with a row of labels each, in place of segments."
    )
    preset: str | None = Field(
        None,
        description="Name of a published set of labels of bases (`bend/gene_finding`), whose files `regions` gives: its classes "
        "in their order, its bins and its splits.",
    )
    windows: LabelWindows = Field(default_factory=LabelWindows, description="Windows along the reference.")
    classes: Annotated[list[Label], Field(min_length=2)] | None = Field(
        None,
        description="Classes in the order of their numbers; of segments the background comes first and the others follow by "
        "name where left out.",
    )
    background: Label = Field("none", description="Class of bases that no segment covers.")
    by_strand: bool = Field(
        False, description="Segments of the - strand have classes of their own, named with a `-` behind."
    )
    bin: Positive = Field(1, description="Bases of a bin, whose class is the highest number of any of its bases.")
    edge: Annotated[int, Field(ge=0)] = Field(0, description="Bases at both ends of a window that are not scored.")
    control: Literal["none", "permuted_labels"] = Field(
        "none", description="`permuted_labels`: training and validation windows exchange their labels among themselves."
    )
    unit: Positive = Field(10, description="Windows side by side that are resampled together.")
    bootstrap: Positive = Field(500, description="Bootstrap draws behind each interval.")

    @model_validator(mode="before")
    @classmethod
    def _of_preset(cls, value: Any) -> Any:
        """Take what a published set fixes where it is left out."""
        name = value.get("preset") if isinstance(value, Mapping) else None
        if not isinstance(name, str):
            return value
        try:
            known = benchmark_set(name)
        except InputError as error:
            raise ValueError(str(error)) from None
        if not known.get("per_base"):
            raise ValueError(f"preset: {name} has labels of whole sequences; name a set of labels of bases")
        if not isinstance(value.get("regions"), Mapping):
            raise ValueError(f"preset: {name} is a BED and an HDF5 file; give them as `regions`")
        own = {key: known[key] for key in ("classes", "background", "bin") if key in known and key not in value}
        return {**value, **own, "regions": {"given_splits": True, **value["regions"]}}

    @model_validator(mode="after")
    def _one_source(self) -> BaseLabels:
        if (self.segments is None) == (self.regions is None):
            raise ValueError("give `segments` (a BED of classes) or `regions` (a BED and an HDF5 file), one of them")
        if self.regions is not None and self.classes is None:
            raise ValueError("classes: name the classes of the HDF5 file in the order of their numbers")
        if self.windows.size % self.bin:
            raise ValueError(
                f"windows.size {self.windows.size} is not a multiple of bin {self.bin}; change one of them"
            )
        if 2 * self.edge >= self.windows.size:
            raise ValueError(
                f"edge {self.edge} at both ends leaves nothing of windows of {self.windows.size}; lower it"
            )
        return self

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what is read of segments alone."""
        if self.regions is not None:
            windows = [f"windows.{key}" for key in self.windows.changed("overlap", "max_n_fraction")]
            for key in (*self.changed("by_strand", "edge"), *windows):
                yield key, "it is read of `segments`; `regions` have rows of labels"

    @property
    def window_bp(self) -> int:
        """Longest stretch of the genome that an example covers."""
        return self.windows.size

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        if self.regions is None:
            return {("segments",): str(self.segments)}
        return {("regions", "bed"): self.regions.bed, ("regions", "hdf5"): self.regions.hdf5}

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the input files of a step."""
        fasta = f"{study.results}/reference/genome.fa"
        if step == "examples":
            return {"fasta": fasta, "index": f"{fasta}.fai", "sources": list(self.named_files().values())}
        return {"tables": f"{study.results}/examples/{label}"} | ({} if step == "score" else {"fasta": fasta})

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Check that windows are longer than what they share."""
        if self.windows.overlap >= self.windows.size:
            text = f"{self.windows.overlap} bases shared by windows of {self.windows.size}; use less"
            yield ("windows", "overlap"), text

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how many windows are learned from and predicted."""
        train, size, overlap = adaptation.train, self.windows.size, self.windows.overlap
        held_out, classes = held_out_windows(study, size, overlap), len(self.classes or ("a", "b"))
        return Work(
            length=size,
            window=size,
            examples=training_windows(study, size, overlap),
            outputs=classes,
            predicted=held_out and held_out * (2 if train.reverse_complement else 1),
            at_once=train.micro_batch,
            held=train.micro_batch,
            held_bytes=4 * size // self.bin * classes,
        )
