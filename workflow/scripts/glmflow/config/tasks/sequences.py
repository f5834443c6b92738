"""Kind `sequences`: the class, the labels or the measured values of a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from glmflow.errors import InputError

from ..adaptations import Adaptation
from ..base import Block, Fraction, Place, Positive, some_left_to_train
from ..benchmark_sets import benchmark_set
from ..table_sizes import rows_of
from ..task_block import ControlledTask, Files, Work
from ..views import Run, StudyView

Column = str | Annotated[int, Field(gt=0)]
Source = str | dict[str, str | dict[str, str]]
"""A path, `{split: path}`, `{class: path}` or `{split: {class: path}}`."""
WAYS = ("given", "random", "group", "similarity", "contig", "block", "column", "homology")
FORMS = ("table", "fasta", "bed", "folder")
TARGETS = {"classes": "class_label", "labels": "label_set", "values": "measured_values"}
"""What is predicted, by what the labels are."""


def is_one_hot(table: Any) -> bool:
    """Return whether a table is an HDF5 file of sequences, which has splits of its own."""
    return isinstance(table, str) and table.lower().endswith((".h5", ".hdf5"))


class Columns(Block):
    """Columns of a table by what they hold; those left out are found by their usual names (`sequence`, `seq`, `label` ...).

    Whole numbers count the columns of a table without a header line.
    """

    sequence: Column | None = Field(None, description="Sequences.")
    label: Column | list[str] | None = Field(
        None,
        description="Classes or values; several columns of 0 and 1, or of values, where a sequence has several. Of a preset whose "
        "targets are tracks or maps beside the sequences: which of them are read, by name, or by number from 0 written as text.",
    )
    split: Column | None = Field(None, description="Splits: train, validation (or dev, val, valid) and test.")
    group: Column | None = Field(None, description="What must not be split (`splits.by: group`).")
    subset: Column | None = Field(
        None,
        description="Parts of the test split that are scored beside the whole, by name (a hundred rows each at least).",
    )
    example: Column | None = Field(None, description="Names of the rows.")
    chrom: Column | None = Field(None, description="Contigs.")
    start: Column | None = Field(None, description="Starts of intervals.")
    end: Column | None = Field(None, description="Ends of intervals.")
    strand: Column | None = Field(None, description="Strands.")


class SequenceSplits(Block):
    """How rows are divided; those of near copies, contigs or groups are kept together."""

    by: Literal[WAYS] = Field(  # type: ignore[valid-type]
        "given",
        description="`given`: the splits of the files, a missing validation split taken out of training; `similarity`: near "
        "copies together; `homology`: clusters of MMseqs2; `contig`, `block`: along the genome; `column`, `group`: by the "
        "values of a column; `random`: rows.",
    )
    column: str | None = Field(None, description="Column whose values are held out (`by: column`, `by: group`).")
    validation: Fraction | list[str] = Field(0.1, description="Share, or contigs or values, of the validation split.")
    test: Fraction | list[str] = Field(0.2, description="Share, or contigs or values, of the test split.")
    train: list[str] | None = Field(None, description="Contigs or values to train on; all others by default.")
    block: Positive = Field(1_000_000, description="Bases of a block (`by: block`).")
    gap: Positive = Field(100_000, description="Bases between blocks of different splits (`by: block`).")
    seed: int = Field(1, description="Seed of the draw.")

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield what another way of dividing reads."""
        read = {"column": ("column", "group"), "block": ("block",), "gap": ("block",), "train": ("contig", "column")}
        read |= dict.fromkeys(("validation", "test"), tuple(way for way in WAYS if way != "given"))
        for key in self.changed(*read):
            if self.by not in read[key]:
                yield key, f"`by: {self.by}` does not read it"

    @model_validator(mode="after")
    def _leaves_some(self) -> SequenceSplits:
        some_left_to_train(self.validation, self.test)
        return self


class Similarity(Block):
    """What makes two sequences near copies."""

    k: Annotated[int, Field(ge=5, le=21)] | None = Field(
        None, description="Length of a k-mer, odd; by default 21, or 11 where half of the sequences are below 63 bases."
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="Share of the smaller set of k-mers.")


class Sequences(ControlledTask):
    """What a sequence is or does, from labelled sequences in any of their usual layouts."""

    kind: Literal["sequences"]
    input = "labelled_sequences"
    refused = {"zero-shot": "labels cannot be read off a language model without a trained head"}
    options = frozenset({"train.reverse_complement", "train.examples", "train.folds", "train.padding"})
    frozen_options = frozenset({"train.examples", "train.folds"})
    compared = "sequences"
    genome = False
    page = "sequences"
    training = frozenset({"middle"})

    table: Source | None = Field(
        None,
        description="Table (CSV, TSV, parquet or JSON lines) with a sequence, or an interval of the genome, and a class in "
        "each row; or a table a split; or the HDF5 file of sequences of a preset (`dart_eval/ccre`). With `fasta`: labels of "
        "its records by id.",
    )
    fasta: Source | None = Field(None, description="FASTA files: one a class, or one with the label in the names.")
    bed: Source | None = Field(
        None, description="Intervals of the genome: one BED file a class, or the class as their name."
    )
    hdf5: str | None = Field(
        None,
        description="HDF5 file with the labels of each row of `table`, in its order, in place of a column: `[rows]`, or `[rows, "
        "labels]` of 0 and 1 or of values; or a CSV of such numbers, a column each. Of a preset that has one, the file beside the "
        "table where left out.",
    )
    data_set: str = Field("labels", description="Data set of the HDF5 file.")
    folder: str | None = Field(
        None,
        description="Folder laid out as a published set: `{split}/{class}/*.txt`, `{split}/{class}.csv.gz`, `{split}.csv`, "
        "`{split}.fna`, `data/{split}-*.parquet`.",
    )
    preset: str | None = Field(
        None,
        description="Name of a published set (`genomic_benchmarks/human_nontata_promoters`): how its files are read, and the "
        "numbers that were published.",
    )
    labels: Literal["classes", "labels", "values"] | None = Field(
        None,
        description="What a sequence has: one of several classes, any of several labels (lists or columns of 0 and 1), or "
        "measured values (one or several columns of numbers); that of the preset where left out, else classes.",
    )
    scale: Literal["plain", "log"] = Field(
        "plain", description="Scale on which values are learned and scored: as they are, or log2(1 + value)."
    )
    columns: Columns = Field(default_factory=Columns, description="Columns of a table.")
    masked: str | None = Field(
        None,
        description="BED of all regions (plain or compressed), of which those between the two of a pair are N: of a preset of "
        "pairs of a region and a gene.",
    )
    only: dict[str, str] = Field(
        default_factory=dict, description="Column to value: the rows of a table that are read."
    )
    one_based: bool = Field(False, description="Intervals of a table count from 1, both ends included.")
    classes: dict[int, str] | None = Field(None, description="Names of classes that are whole numbers in the files.")
    length: Positive = Field(
        512, description="Bases that are read of a sequence, from its middle; shorter ones are padded."
    )
    around: Literal["middle", "start"] | None = Field(
        None,
        description="Intervals become windows of `length` bases around their middle, or their start (a variant stands at base "
        "`length` // 2); that of the preset where left out. Without it an interval is read as it is.",
    )
    room: Positive | None = Field(
        None,
        description="Bases around that every interval has to have on its contig (with `around`): rows without them are left out "
        "and counted, so that tasks of several `length` have the same rows; `length` where left out.",
    )
    middle: Positive | None = Field(
        None,
        description="Bases in the middle that models see as they are, while those around them are shuffled: a control of what "
        "the bases around are worth. Baselines read whole sequences.",
    )
    splits: SequenceSplits = Field(default_factory=SequenceSplits, description="How rows are divided.")
    control: Literal["none", "permuted_labels"] = Field(
        "none",
        description="`permuted_labels`: those of the training and validation rows change places among themselves, so that "
        "nothing can be learned and every model has to be at chance; drawn again with each seed (ten unless `runs` names them).",
    )
    margin: Annotated[int, Field(ge=0)] = Field(
        0, description="Bases between two intervals that still count as an overlap (subset `no_overlap`)."
    )
    similarity: Similarity = Field(default_factory=Similarity, description="What near copies are.")
    bootstrap: Positive = Field(500, description="Bootstrap draws of groups of near copies behind each interval.")

    @model_validator(mode="before")
    @classmethod
    def _length_of_preset(cls, value: Any) -> Any:
        """Take the length of windows and the splits of intervals from the preset where it has them and none are given."""
        name = value.get("preset") if isinstance(value, Mapping) else None
        if not isinstance(name, str):
            return value
        try:
            known = benchmark_set(name)
        except InputError:  # said below
            return value
        keys = ("length",) if is_one_hot(value.get("table")) else ("length", "splits")
        return {key: known[key] for key in keys if key in known} | dict(value)

    @model_validator(mode="after")
    def _one_source(self) -> Sequences:
        given = [name for name in FORMS if getattr(self, name) is not None]
        if given not in (["table"], ["fasta"], ["bed"], ["folder"], ["table", "fasta"]):
            found = " and ".join(given) or "none"
            raise ValueError(f"give one of {', '.join(FORMS)} (found {found}); `fasta` and `table` may stand together")
        if self.preset is not None:
            try:
                benchmark_set(self.preset)
            except InputError as error:
                raise ValueError(str(error)) from None
        self._require_what_the_preset_reads(benchmark_set(self.preset) if self.preset else {})
        places: dict[str, str] = {}
        for key, path in self.sources().items():
            first = places.setdefault(path, ".".join(map(str, key)))
            if first != ".".join(map(str, key)):
                raise ValueError(f"{'.'.join(map(str, key))}: {path} is {first} already; give each file once")
        if self.hdf5 is not None and (not isinstance(self.table, str) or self.fasta is not None):
            raise ValueError("hdf5: has the labels of the rows of one `table`; give that table, or leave it out")
        if self.scale != "plain" and self.predicts != "values":
            raise ValueError(f"scale: is for values, and the labels are {self.predicts}; leave it out")
        if self.preset is not None and benchmark_set(self.preset).get("per_base"):
            raise ValueError(f"preset: {self.preset} has labels of single bases; name a set of whole sequences")
        if self.room is not None and self.framed is None:
            raise ValueError("room: is of windows around intervals; say `around` too, or leave it out")
        if self.room is not None and self.room < self.length:
            raise ValueError(f"room: {self.room} is less than length {self.length}; give the longest of the lengths")
        if is_one_hot(self.table):
            if self.preset is None or "arrays" not in benchmark_set(self.preset):
                raise ValueError("table: an HDF5 file of sequences needs the `preset` that names its arrays")
            if self.only or self.columns.changed(*Columns.model_fields):
                raise ValueError("table: an HDF5 file has no columns; leave `columns` and `only` out")
        if self.splits.by == "column" and self.splits.column is None:
            raise ValueError("splits.column: name the column whose values are held out")
        return self

    def _require_what_the_preset_reads(self, known: Mapping[str, Any]) -> None:
        """Stop if a key that a published set is read by is missing, or one that it cannot be read with is there."""
        pairs, maps = known.get("pairs"), known.get("maps")
        if (pairs or "bin" in known) and not isinstance(self.table, str):
            raise ValueError(f"preset: {self.preset} is read from one `table`; name it")
        if pairs and self.masked is None:
            raise ValueError("masked: name the BED of all regions; those between the two of a pair are N")
        if pairs and (
            key := next((key for key in ("around", "room", "middle") if getattr(self, key) is not None), None)
        ):
            raise ValueError(f"{key}: pairs are read from both of their ends; leave it out")
        if self.masked is not None and not pairs:
            raise ValueError("masked: is of a `preset` of pairs of regions and genes; name it, or leave `masked` out")
        if maps and self.folder is None:
            raise ValueError(f"preset: {self.preset} is read from the `folder` of its files (train-0.tfr ...); name it")
        if maps and (len(self.chooses) != 1 or self.chooses[0] not in maps["cells"]):
            raise ValueError(f"columns.label: say which map is read, one of {', '.join(maps['cells'])}")
        others = [name for name in Columns.model_fields if name != "label"]
        if maps and (self.only or self.one_based or self.classes or self.columns.changed(*others)):
            raise ValueError(
                "columns: files of maps have none; say `label` alone, and leave only, one_based and classes out"
            )
        if "bin" in known and isinstance(self.columns.label, int):
            raise ValueError(f"columns.label: write numbers of tracks as text, from 0: ['{self.columns.label}']")

    @property
    def chooses(self) -> list[str]:
        """Outputs of the preset's files that are read, by name or number; none: all, or its labels stand in columns."""
        known = benchmark_set(self.preset) if self.preset else {}
        label = self.columns.label
        if label is None or self.hdf5 is not None or not {"bin", "maps"} & set(known):
            return []
        return [str(label)] if isinstance(label, str | int) else list(label)

    @property
    def label_file(self) -> str | None:
        """File of the labels beside the table; None where they stand in a column."""
        if self.hdf5 is None and self.preset and isinstance(self.table, str):
            known = benchmark_set(self.preset)
            if "beside" in known:
                return str(Path(self.table).parent / known["beside"])
            if known.get("hdf5"):
                return str(Path(self.table).with_suffix(".hdf5"))
        return self.hdf5

    @property
    def predicts(self) -> str:
        """What the labels are: `classes`, `labels` or `values`."""
        return self.labels or (benchmark_set(self.preset).get("target") if self.preset else None) or "classes"

    @property
    def framed(self) -> str | None:
        """What windows are laid around (`middle`, `start`); None: intervals are read as they are."""
        return self.around or (benchmark_set(self.preset).get("anchor") if self.preset else None)

    @property
    def target(self) -> str:  # type: ignore[override]
        """What is predicted; heads, losses and baselines of the same target fit."""
        return TARGETS[self.predicts]

    @property
    def compares(self) -> bool:  # type: ignore[override]
        """Whether every two runs are compared by the rows that one alone is right about: of one class a row."""
        return self.target == "class_label"

    @property
    def control_draws(self) -> int:
        """How often a control is drawn where `runs` names no seeds: one permutation is one draw of chance."""
        return 1 if self.control == "none" else 10

    @property
    def window_bp(self) -> int:
        """Bases of the longest sequence that a model reads."""
        return self.length

    def sources(self) -> dict[Place, str]:
        """Return every file and folder that the settings name, by key."""
        named: dict[Place, str] = {}

        def add(key: Place, value: Any) -> None:
            if isinstance(value, Mapping):
                for name, inner in value.items():
                    add((*key, name), inner)
            elif value is not None:
                named[key] = value

        for form in FORMS:
            add((form,), getattr(self, form))
        add(("hdf5" if self.hdf5 else "preset",), self.label_file)
        add(("masked",), self.masked)
        return named

    def named_files(self) -> dict[Place, str]:
        """Return the files that the settings name."""
        return self.sources()

    def files(self, study: StudyView, label: str, step: str, run: Run | None = None) -> Files:
        """Return the files of the data set for the examples, and the classes for what comes after them."""
        genome: Files = {"genome": f"{study.results}/reference/genome.fa"} if study.data.reference else {}
        if step == "examples":
            return {"sources": sorted(set(self.sources().values())), **genome}
        return {"tables": f"{study.results}/examples/{label}", **(genome if step != "score" else {})}

    def checks(self, study: StudyView, label: str) -> Iterator[tuple[Place, str]]:
        """Yield what is missing for intervals."""
        if self.bed is not None and not study.data.reference:
            yield ("bed",), "intervals are read from the genome; give `reference.fasta`"
        elif self.masked is not None and not study.data.reference:
            yield ("masked",), "pairs of regions and genes are read from the genome; give `reference.fasta`"
        elif self.framed is not None and not study.data.reference:
            key = "around" if self.around else "preset"
            yield (key,), "windows around intervals are read from the genome; give `reference.fasta`"

    def work(self, study: StudyView, label: str, adaptation: Adaptation) -> Work:
        """Return how many sequences there are: all of the tables is the most that can be learned from or predicted."""
        train = adaptation.train
        paths = [path for key, path in self.sources().items() if key[0] in FORMS and Path(path).is_file()]
        counted = [rows_of(path) for path in paths if path.split(".")[-1] in ("csv", "tsv", "gz", "txt", "bed")]
        rows = sum(n for n in counted if n) or None
        return Work(
            length=self.length,
            window=self.length,
            examples=rows,
            predicted=rows and rows * (2 if train.reverse_complement else 1),
            at_once=train.micro_batch,
            held=train.micro_batch,
            held_bytes=self.length,
        )
