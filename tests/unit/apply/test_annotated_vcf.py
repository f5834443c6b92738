"""Variants of a VCF get a value or a reason each, whatever the file is like; all else of it stays as it was."""

import gzip
from dataclasses import dataclass, field

import numpy as np
import pysam
import pytest
from glmflow.apply import annotated_vcf
from glmflow.apply import coverage_variants as apply
from glmflow.apply.applied_model import Strictness
from glmflow.errors import InputError
from glmflow.genome.reference import Reference

LETTERS = "ACGTN"
SIZE = 60


@dataclass
class Spelled:
    """Stands in for a tuned model: what it predicts for a base is the base's place in ACGTN, plus one."""

    tracks: list = field(default_factory=lambda: ["spelled", "doubled"])
    means: np.ndarray = field(default_factory=lambda: np.array([1.0, 2.0], np.float32))
    size: int = SIZE
    trim: int = 5
    calls: int = 0
    seen: list = field(default_factory=list)

    def coverage(self, codes):
        self.calls += len(codes)
        self.seen += [code.tobytes() for code in codes]
        values = np.array([[LETTERS.index(chr(base)) + 1 for base in sequence] for sequence in codes], np.float32)
        return np.stack([values, 2 * values], axis=1)


def spelled(text):
    return np.array([LETTERS.index(letter) + 1 for letter in text], float)


def ratio(reference, alternative):
    means = [spelled(sequence[:60])[5:55].mean() + 0.01 for sequence in (reference, alternative)]
    return np.log2(means[1] / means[0])


def other(base):
    return "ACGT"[("ACGT".index(base) + 1) % 4]


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(0)
    text = {name: "".join(rng.choice(list("ACGT"), length)) for name, length in (("chr1", 500), ("two", 37))}
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in text.items()))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("1")
    return Reference(path), text["chr1"]


def write(path, lines, head=()):
    rows = ["##fileformat=VCFv4.2", *head, "#CHROM POS ID REF ALT QUAL FILTER INFO".replace(" ", "\t")]
    path.write_text("".join(f"{line}\n" for line in [*rows, *(line.replace(" ", "\t") for line in lines)]))
    return path


def annotated(genome, vcf, output, tuned=None, **more):
    """Annotate; return the counts and, by POS, the INFO fields of each record."""
    counts = apply.annotate_variants(tuned or Spelled(), genome, vcf, output, vcf.parent / "model", **more)
    counts = {reason.label or "scored": count for reason, count in counts.items()}
    opened = gzip.open if output.suffix == ".gz" else open
    with opened(output, "rt", errors="surrogateescape") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    fields = [dict(cell.partition("=")[::2] for cell in row[7].split(";")) if len(row) > 7 else {} for row in rows]
    return counts, list(zip([row[1] for row in rows], fields))


def test_variants_get_the_log_ratio_of_both_alleles(genome, tmp_path):
    reference, one = genome
    vcf = write(
        tmp_path / "v.vcf",
        [f"chr1 251 . {one[250]} {other(one[250])} . . .", f"chr1 301 . {one[300]} {one[300]}TTTT,<DEL> . . A=1"],
    )
    counts, records = annotated(reference, vcf, tmp_path / "out.vcf.gz")
    assert counts == {"scored": 2, "symbolic": 1}
    around = one[220:400]
    assert float(records[0][1]["GLM_spelled"]) == pytest.approx(
        ratio(around, around[:30] + other(one[250]) + around[31:]), abs=1e-4
    )
    around = one[271:400]  # the insertion lies behind base 301
    first, second = records[1][1]["GLM_spelled"].split(",")
    assert float(first) == pytest.approx(ratio(around, around[:30] + "TTTT" + around[30:]), abs=1e-4)
    assert second == "." and records[1][1]["GLM_REASON"] == ".,symbolic" and records[1][1]["A"] == "1"
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as file:  # as others read it, by its index
        assert "alternative over reference" in file.header.info["GLM_spelled"].description
        (record,) = file.fetch("chr1", 299, 302)
        assert record.info["GLM_spelled"][1] is None and record.info["GLM_REASON"] == (".", "symbolic")


def test_the_end_in_info_changes_no_score(genome, tmp_path):
    reference, one = genome
    ends = [".", "END=101", "END=100", "END=180", "SVTYPE=INS;END=102"]
    for ref, alt in ((one[100], f"{one[100]}ACGT"), (one[100:104], one[100]), (one[100], other(one[100]))):
        vcf = write(tmp_path / "v.vcf", [f"chr1 101 . {ref} {alt} . . {info}" for info in ends])
        counts, records = annotated(reference, vcf, tmp_path / "out.vcf")
        assert counts["scored"] == 5 and len({fields["GLM_spelled"] for _, fields in records}) == 1


def test_every_allele_gets_a_value_or_a_reason(genome, tmp_path):
    reference, one = genome
    reasons = {
        f"chr1 101 . {other(one[100])} {one[100]}": "ref_mismatch",
        "chr9 101 . A C": "missing_contig",
        "chr1 0 . N C": "outside_contig",
        "chr1 501 . A C": "outside_contig",
        f"chr1 102 . {one[101]} <INS>": "symbolic",
        f"chr1 103 . {one[102]} <DEL:ME>": "symbolic",
        f"chr1 104 . {one[103]} *": "spanning_deletion",
        f"chr1 105 . {one[104]} <NON_REF>": "no_alt",
        f"chr1 106 . {one[105]} R": "not_acgt",
        f"chr1 107 . {one[106]} N": "not_acgt",
        f"chr1 108 . {one[107]} {one[107]}[chr1:5[": "symbolic",
        f"chr1 109 . {one[108]} {'ACG' * 11}": "too_long",
        f"chr1 110 . {one[109:141]} {one[109]}": "too_long",
        f"chr1 111 . {one[110].lower()} {other(one[110]).lower()}": None,
        f"chr1 200 . {one[199:229]} {one[199]}": None,
        f"chr1 500 . {one[499]} {other(one[499])}": None,
        f"chr1 1 . {one[0]} {other(one[0])}GG": None,
        f"chr1 120 . {one[119]} .": "no_alt",
        f"chr1 121 . {one[120]} {one[120]}": "no_change",
    }
    vcf = write(tmp_path / "v.vcf", [f"{line} . . ." for line in reasons])
    counts, records = annotated(reference, vcf, tmp_path / "out.vcf")
    for (_, fields), reason in zip(records, reasons.values(), strict=True):
        assert fields.get("GLM_REASON") == reason
        assert ("GLM_spelled" in fields) == (reason is None)
    assert counts["scored"] == 4 and counts["symbolic"] == 3 and sum(counts.values()) == len(reasons)


def test_a_line_that_is_no_record_is_counted_and_stays(genome, tmp_path):
    reference, one = genome
    good = [f"chr1 {pos} . {one[pos - 1]} {other(one[pos - 1])} . . ." for pos in range(200, 230)]
    for odd in ("chr1 x . A C . . .", "chr1 101", f"chr1 102 . {one[101]} {other(one[101])} . ."):
        counts, _ = annotated(reference, write(tmp_path / "v.vcf", [*good, odd]), tmp_path / "out.vcf")
        assert counts == {"scored": 30, "not_a_record": 1}
        assert (tmp_path / "out.vcf").read_text().splitlines()[-1] == odd.replace(" ", "\t")
    with pytest.raises(InputError, match=r"record 1 is no VCF record .2 columns, 'chr1.*nor are 29 others of 30"):
        annotated(reference, write(tmp_path / "v.vcf", ["chr1 101"] * 30), tmp_path / "out.vcf")


def test_all_else_of_a_record_stays_as_it_was(genome, tmp_path):
    """Also what a parser would refuse or write otherwise: text in a number, undefined fields, another encoding."""
    reference, one = genome
    cells = [
        "chr1",
        "251",
        "rs1;x",
        one[250],
        other(one[250]),
        "29.0000",
        "q10",
        "AF=abc;XX;N=\udce9",
        "GT:PS",
        "0|1:PATMAT",
    ]
    vcf = tmp_path / "v.vcf"
    text = '##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=1,Type=Float,Description="x">\n' + "\t".join(
        ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "s"]
    )
    vcf.write_bytes((text + "\n" + "\t".join(cells) + "\n").encode("utf-8", "surrogateescape"))
    annotated(reference, vcf, tmp_path / "out.vcf")
    found = (tmp_path / "out.vcf").read_bytes().decode("utf-8", "surrogateescape").splitlines()[-1].split("\t")
    assert found[7].startswith("AF=abc;XX;N=\udce9;GLM_spelled=") and found[:7] + found[8:] == cells[:7] + cells[8:]


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "bcf", "crlf", "bom"])
def test_every_form_of_a_vcf_is_read(genome, tmp_path, kind):
    reference, one = genome
    head = ["##contig=<ID=chr1>", '##INFO=<ID=A,Number=1,Type=Integer,Description="x">']
    plain = write(tmp_path / "p.vcf", [f"chr1 251 . {one[250]} {other(one[250])} . . A=1"], head)
    expected = annotated(reference, plain, tmp_path / "expected.vcf")
    content, vcf = plain.read_bytes(), tmp_path / "v.vcf"
    if kind == "bcf":
        with pysam.VariantFile(str(plain)) as source, pysam.VariantFile(str(vcf), "wb", header=source.header) as target:
            for record in source:
                target.write(record)
    elif kind == "bgzip":
        pysam.tabix_compress(str(plain), str(vcf))
    else:
        vcf.write_bytes(
            {
                "plain": content,
                "gzip": gzip.compress(content),
                "crlf": content.replace(b"\n", b"\r\n"),
                "bom": b"\xef\xbb\xbf" + content,
            }[kind]
        )
    assert annotated(reference, vcf, tmp_path / "out.vcf") == expected


def test_contigs_by_another_name_and_an_unsorted_file(genome, tmp_path, caplog):
    reference, one = genome
    lines = [f"1 {pos} . {one[pos - 1]} {other(one[pos - 1])} . . ." for pos in (300, 100)]
    counts, _ = annotated(reference, write(tmp_path / "v.vcf", lines), tmp_path / "out.vcf.gz")
    assert counts == {"scored": 2} and "contig names mapped: 1 is chr1" in caplog.text
    assert "no index: the records are not sorted" in caplog.text
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.vcf.gz"]
    annotated(reference, write(tmp_path / "v.vcf", lines[::-1]), tmp_path / "out.vcf.gz")
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.vcf.gz", "out.vcf.gz.tbi"]


def test_a_vcf_of_another_genome_is_refused_before_any_prediction(genome, tmp_path):
    reference, one = genome
    good = [f"chr1 {pos} . {one[pos - 1]} {other(one[pos - 1])} . . ." for pos in range(200, 220)]
    wrong = [f"chr1 {pos} . {other(one[pos - 1])} {one[pos - 1]} . . ." for pos in (240, 250)]
    tuned = Spelled()
    for lines, words in (
        (good + wrong, "REF of 2 of 22 alleles is not what the genome has, first chr1:240.*exchanged"),
        (["chr7 5 . A C . . ."], "no variant lies on the genome: contigs are chr7"),
        (
            [*good[:2], *(f"chr1 {len(one) + n} . A C . . ." for n in range(1, 4)), "chr7 5 . A C . . ."],
            f"3 of 5 alleles lie outside their contig, first chr1:{len(one) + 1}.*another assembly",
        ),
    ):
        with pytest.raises(InputError, match=words):
            annotated(reference, write(tmp_path / "v.vcf", lines), tmp_path / "out.vcf", tuned)
    assert not list(tmp_path.glob("out.vcf*")) and not tuned.calls
    path = write(tmp_path / "v.vcf", good + wrong)
    counts, _ = annotated(reference, path, tmp_path / "out.vcf", how=Strictness(mismatches=1))
    assert counts == {"scored": 20, "ref_mismatch": 2}
    with pytest.raises(InputError, match="REF of 1 of 21 alleles"):
        annotated(
            reference, write(tmp_path / "v.vcf", good + wrong[:1]), tmp_path / "o.vcf", how=Strictness(strict=True)
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"chr1\t1\t5\n", "record 1 is no VCF record .3 columns"),
        (
            b'##fileformat=VCFv4.2\n##INFO=<ID=GLM_spelled,Number=A,Type=Float,Description="x">\n#CHROM\tPOS\n',
            "has a field GLM_spelled already",
        ),
        (gzip.compress(b"##fileformat=VCFv4.2\n" * 500, mtime=0)[:-9], "damaged or cut short"),
        ("##fileformat=VCFv4.2\n".encode("utf-16"), "not UTF-8 text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_vcf_is_refused(genome, tmp_path, content, message):
    (tmp_path / "v.vcf").write_bytes(content)
    with pytest.raises(InputError, match=rf"v\.vcf: {message}"):
        annotated(genome[0], tmp_path / "v.vcf", tmp_path / "out.vcf")
    assert not list(tmp_path.glob("out.vcf*"))


def test_each_window_is_predicted_once(genome, tmp_path):
    """Alternatives of a site, duplicates and spellings of one edit share; with `share` neighbours do as well."""
    reference, one = genome
    bases = [base for base in "ACGT" if base != one[200]]
    lines = [
        f"chr1 201 . {one[200]} {','.join(bases)} . . .",
        f"chr1 201 . {one[200]} {bases[0]} . . .",
        f"chr1 200 . {one[199:201]} {one[199]}{bases[0]} . . .",
        f"chr1 203 . {one[202]} {other(one[202])} . . .",
    ]
    vcf, tuned = write(tmp_path / "v.vcf", lines), Spelled()
    _, records = annotated(reference, vcf, tmp_path / "out.vcf", tuned)
    first = records[0][1]["GLM_spelled"].split(",")[0]
    assert [fields["GLM_spelled"] for _, fields in records[1:3]] == [first, first]
    assert tuned.calls == len(set(tuned.seen)) == 1 + 3 + 1 + 1
    near = Spelled()
    _, shared = annotated(reference, vcf, tmp_path / "out.vcf", near, share=20)
    assert near.calls == len(set(near.seen)) == 1 + 3 + 1
    # The window of sites 200 to 219 is centred on 210.
    window = one[180:240]
    changed = window[:20] + bases[0] + window[21:]
    assert float(shared[0][1]["GLM_spelled"].split(",")[0]) == pytest.approx(ratio(window, changed), abs=1e-4)


def test_a_span_averages_the_bases_around_the_edit_alone(genome, tmp_path):
    reference, one = genome
    line = f"chr1 251 . {one[250]} {other(one[250])} . . ."
    vcf = write(tmp_path / "v.vcf", [line])
    for share in (1, 20):
        _, records = annotated(reference, vcf, tmp_path / "out.vcf", span=4, share=share)
        before, after = spelled(one[248:252]), spelled(one[248:250] + other(one[250]) + one[251])
        expected = np.log2((after.mean() + 0.01) / (before.mean() + 0.01))
        assert float(records[0][1]["GLM_spelled"]) == pytest.approx(expected, abs=1e-4)
    for wrong in ({"span": 51}, {"span": 0}, {"share": 26}, {"share": 0}):
        with pytest.raises(InputError, match=rf"--{next(iter(wrong))} {next(iter(wrong.values()))}: is not within"):
            annotated(reference, vcf, tmp_path / "out.vcf", **wrong)


def test_a_symbolic_deletion_is_scored_where_it_is_asked_for(genome, tmp_path):
    reference, one = genome
    lines = [
        f"chr1 251 . {one[250]} <DEL> . . END=255",
        f"chr1 251 . {one[250:255]} {one[250]} . . .",
        f"chr1 251 . {one[250]} <DEL> . . END=350",
    ]
    vcf = write(tmp_path / "v.vcf", lines)
    _, records = annotated(reference, vcf, tmp_path / "out.vcf", how=Strictness(symbolic=True))
    assert records[0][1]["GLM_spelled"] == records[1][1]["GLM_spelled"]
    assert records[2][1]["GLM_REASON"] == "too_long"


def test_scoring_that_was_stopped_goes_on(genome, tmp_path, monkeypatch):
    reference, one = genome
    monkeypatch.setattr(annotated_vcf, "RECORDS", 10)
    vcf = write(
        tmp_path / "v.vcf", [f"chr1 {pos} . {one[pos - 1]} {other(one[pos - 1])} . . ." for pos in range(100, 150)]
    )
    expected = annotated(reference, vcf, tmp_path / "expected.vcf")

    class Stopped(Spelled):
        def coverage(self, codes):
            if self.calls >= 70:
                raise KeyboardInterrupt
            return super().coverage(codes)

    with pytest.raises(KeyboardInterrupt):
        annotated(reference, vcf, tmp_path / "out.vcf", Stopped())
    assert not (tmp_path / "out.vcf").exists()
    rest = Spelled()
    assert annotated(reference, vcf, tmp_path / "out.vcf", rest) == expected
    assert rest.calls == 40 and not list(tmp_path.glob(".out*"))  # three parts of ten were kept
    # Another model does not go on with them.
    with pytest.raises(KeyboardInterrupt):
        annotated(reference, vcf, tmp_path / "out.vcf", Stopped())
    (tmp_path / "model" / "weights").write_text("2")
    again = Spelled()
    annotated(reference, vcf, tmp_path / "out.vcf", again)
    assert again.calls == 100
