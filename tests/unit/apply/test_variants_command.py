"""`glmflow variants`: files in, files out; what a user does wrong is one line; a killed run resumes to the same bytes."""

import gzip
import subprocess
import time

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.apply.variants import variants_run
from glmflow.cli import main
from glmflow.effects import score_runs
from toy_models import random_genome, small

TEXT = random_genome(400, seed=5)
HEADER = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=400>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    small(context=64).save(folder / "masked")
    small(causal=True, context=64).save(folder / "causal")
    (folder / "genome.fa").write_text(f">chr1\n{TEXT[:200].lower()}\n{TEXT[200:]}\n>chr2\n{TEXT[100:200]}\n")
    return folder


def alt(pos):
    return "C" if TEXT[pos - 1] != "C" else "G"


def record(pos, ref=None, other=None, info=".", chrom="chr1", more=""):
    return f"{chrom}\t{pos}\t.\t{ref or TEXT[pos - 1]}\t{other or alt(pos)}\t9\tPASS\t{info}{more}"


MIXED = [
    record(100, info="AC=1;DB"),
    record(100, other=",".join(base for base in "ACGT" if base != TEXT[99]), info="AC=1,2,3"),
    record(120, ref="A", other="C") if TEXT[119] != "A" else record(120, ref="C", other="G"),
    record(130, other="<DEL>", info="END=133"),
    record(150, ref=TEXT[149:153], other=f"{TEXT[149]},{TEXT[149:153]}GG,*"),
    record(5, chrom="chr2", ref=TEXT[104], other=alt(105)),
    record(20, chrom="chrX"),
    *(record(pos) for pos in range(200, 240)),
]


def write_vcf(path, lines=MIXED, header=HEADER, samples=()):
    columns = "\t".join([COLUMNS, *(["FORMAT", *samples] if samples else [])])
    path.write_text(f"{header}{columns}\n" + "".join(f"{line}\n" for line in lines))
    return path


def run(inputs, output, *more, model="masked", given="--vcf", path=None):
    options = ["--fasta", inputs / "genome.fa", given, path, "--output", output, "--window", 32, *more]
    return main(["variants", "--model", str(inputs / model), *map(str, options)])


def rows(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def info(cells):
    return dict(field.partition("=")[::2] for field in cells[7].split(";"))


@pytest.fixture(scope="module")
def scored(inputs):
    """The mixed file as a table, the fixture of what other outputs have to say as well."""
    path = write_vcf(inputs / "mixed.vcf")
    assert run(inputs, inputs / "mixed.tsv", "--strands", path=path) == 0
    return pd.read_csv(inputs / "mixed.tsv", sep="\t", keep_default_na=False, na_values=[""])


def test_a_table_has_a_row_an_allele_with_a_score_or_a_reason(scored, inputs):
    assert list(scored) == [
        *("variant", "chrom", "start", "ref", "alt", "kind", "llr", "llr_fwd", "llr_rev", "flank", "flank_fwd"),
        *("flank_rev", "window_start", "window_bp", "n_bases", "reason"),
    ]
    assert len(scored) == 1 + 3 + 1 + 1 + 3 + 1 + 1 + 40
    assert scored["variant"][0] == f"chr1:100:{TEXT[99]}:{alt(100)}" and scored["start"][0] == 99
    reasons = scored["reason"].fillna("")
    assert reasons[reasons != ""].tolist() == ["ref_mismatch", "symbolic", "spanning_deletion", "missing_contig"]
    assert scored["kind"].fillna("").tolist()[:10] == [*["snv"] * 4, "", "", "deletion", "insertion", "", "snv"]
    has = scored[["llr", "flank"]].notna().any(axis=1)
    assert (has == (reasons == "")).all()
    np.testing.assert_allclose(scored["llr"], scored[["llr_fwd", "llr_rev"]].mean(axis=1), atol=1e-9)
    same = scored.index[(scored["start"] == 99) & (scored["alt"] == alt(100))]
    assert len(same) == 2 and scored["llr"][same[0]] == scored["llr"][same[1]]
    assert not (inputs / "mixed.tsv.parts").exists()


def test_a_vcf_keeps_every_record_and_gets_values_for_each_allele(scored, inputs, tmp_path):
    lines = [line + "\tGT\t0|1\t./." for line in MIXED]
    path = write_vcf(tmp_path / "samples.vcf", lines, samples=("s1", "s2"))
    output = tmp_path / "out.vcf.gz"
    assert run(inputs, output, path=path) == 0
    found = rows(output)
    assert [cells[:7] + cells[8:] for cells in found] == [line.split("\t")[:7] + line.split("\t")[8:] for line in lines]
    at = 0
    for cells, line in zip(found, lines):
        before = line.split("\t")[7]
        fields = info(cells)
        assert before == "." or cells[7].startswith(before + ";")
        count = len(cells[4].split(","))
        expected = scored.iloc[at : at + count]
        for name in ("llr", "flank"):
            values = fields.get(f"GLM_masked_{name}", ",".join(["."] * count)).split(",")
            given = [np.nan if value == "." else float(value) for value in values]
            np.testing.assert_allclose(given, expected[name], rtol=1e-6)
        reasons = fields.get("GLM_REASON", ",".join(["."] * count)).split(",")
        assert reasons == ["." if pd.isna(reason) else reason for reason in expected["reason"]]
        at += count
    with pysam.VariantFile(str(output)) as file:
        own = file.header.info["GLM_masked_llr"]
        assert (own.number, own.type) == ("A", "Float")
        for word in ("window 32 bp", "float32", "sha256", "glmflow", "mean of both strands"):
            assert word in own.description
        assert sum(1 for _ in file) == len(MIXED)


def test_an_index_lets_a_sorted_file_be_read_at_random(inputs, tmp_path, caplog):
    path = write_vcf(tmp_path / "sorted.vcf", [record(pos) for pos in range(200, 230)])
    assert run(inputs, tmp_path / "out.vcf.gz", path=path) == 0
    with pysam.TabixFile(str(tmp_path / "out.vcf.gz")) as file:
        assert [int(line.split("\t")[1]) for line in file.fetch("chr1", 209, 212)] == [210, 211, 212]
    path = write_vcf(tmp_path / "unsorted.vcf", [record(210), record(205)])
    assert run(inputs, tmp_path / "other.vcf.gz", path=path) == 0
    assert not (tmp_path / "other.vcf.gz.tbi").exists()
    assert "no index: the records are not sorted" in caplog.text


@pytest.mark.parametrize("form", ["gzip", "bgzip", "bcf", "no header", "crlf"])
def test_whatever_a_vcf_is_written_as(form, scored, inputs, tmp_path):
    lines = [record(pos) for pos in (100, 150, 210)]
    plain = write_vcf(tmp_path / "plain.vcf", lines)
    path = tmp_path / {"gzip": "a.vcf.gz", "bgzip": "b.vcf.gz", "bcf": "c.bcf"}.get(form, "d.vcf")
    if form == "gzip":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif form == "bgzip":
        pysam.tabix_compress(str(plain), str(path))
    elif form == "bcf":
        pysam.bcftools.view("-Ob", "-o", str(path), str(plain), catch_stdout=False)
    elif form == "no header":
        path.write_text("".join(f"{line}\n" for line in lines))
    else:
        path.write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))
    assert run(inputs, tmp_path / "out.vcf", path=path) == 0
    found = rows(tmp_path / "out.vcf")
    assert [cells[1] for cells in found] == ["100", "150", "210"]
    assert float(info(found[0])["GLM_masked_llr"]) == pytest.approx(scored["llr"][0], rel=1e-5)
    text = (tmp_path / "out.vcf").read_text()
    assert text.startswith("##fileformat=VCFv4.2") and COLUMNS in text


def test_tables_in_text_and_parquet(scored, inputs, tmp_path):
    table = pd.DataFrame({"chrom": "chr1", "pos": [100, 210], "ref": [TEXT[99], TEXT[209]],
                          "alt": [alt(100), alt(210)], "label": ["1", "0"]})  # fmt: skip
    table.to_csv(tmp_path / "in.tsv", sep="\t", index=False)
    table.rename(columns={"pos": "start"}).assign(start=table["pos"] - 1).to_parquet(tmp_path / "in.parquet")
    for name, output in (("in.tsv", "out.parquet"), ("in.parquet", "out.tsv")):
        assert run(inputs, tmp_path / output, given="--table", path=tmp_path / name) == 0
    text = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    whole = pd.read_parquet(tmp_path / "out.parquet")
    assert whole["label"].tolist() == ["1", "0"] and text["label"].tolist() == [1, 0]
    expected = scored.drop_duplicates("variant").set_index("variant")["llr"]
    for found in (text, whole):
        np.testing.assert_allclose(found["llr"], expected[found["variant"]], atol=1e-6)


def test_a_table_with_sequences_needs_no_genome(scored, inputs, tmp_path):
    window = TEXT[83:115]
    table = pd.DataFrame({"sequence": [window, window.lower()], "offset": [16, 16], "ref": TEXT[99], "alt": alt(100)})
    table.to_csv(tmp_path / "own.tsv", sep="\t", index=False)
    placed = (
        table.drop(columns="offset").assign(chr="chr1", start=83, pos=100).rename(columns={"sequence": "sequences"})
    )
    placed.to_csv(tmp_path / "placed.tsv", sep="\t", index=False)
    for name in ("own", "placed"):
        options = ["--model", inputs / "masked", "--table", tmp_path / f"{name}.tsv", "--window", 32]
        assert main(["variants", *map(str, [*options, "--output", tmp_path / f"{name}.out.tsv"])]) == 0
        found = pd.read_csv(tmp_path / f"{name}.out.tsv", sep="\t")
        np.testing.assert_allclose(found["llr"], scored["llr"][0], atol=1e-6)
    assert found["variant"].tolist() == [f"chr1:100:{TEXT[99]}:{alt(100)}"] * 2


def test_a_file_without_records_gives_the_columns_that_any_file_gives(scored, inputs, tmp_path):
    path = write_vcf(tmp_path / "none.vcf", [])
    for name in ("out.tsv", "out.parquet"):
        assert run(inputs, tmp_path / name, "--strands", path=path) == 0
    assert list(pd.read_csv(tmp_path / "out.tsv", sep="\t")) == list(scored)
    whole = pd.read_parquet(tmp_path / "out.parquet")
    assert list(whole) == list(scored) and whole["llr"].dtype == float and whole["start"].dtype == int
    assert run(inputs, tmp_path / "out.vcf.gz", path=path) == 0
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as file:
        assert "GLM_masked_llr" in file.header.info and list(file.fetch("chr1", 0, 9)) == []
    (tmp_path / "none.tsv").write_text("chrom\tpos\tref\talt\tlabel\n")
    assert run(inputs, tmp_path / "of_table.tsv", given="--table", path=tmp_path / "none.tsv") == 0
    assert {"llr", "reason", "label"} < set(pd.read_csv(tmp_path / "of_table.tsv", sep="\t"))


def test_every_base_of_intervals(scored, inputs, tmp_path):
    (tmp_path / "some.bed").write_text("chr1\t99\t102\nchr1\t101\t104\nchr2\t4\t5\n")
    assert run(inputs, tmp_path / "out.tsv", given="--bed", path=tmp_path / "some.bed") == 0
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert found["start"].tolist() == [99] * 3 + [100] * 3 + [101] * 3 + [102] * 3 + [103] * 3 + [4] * 3
    np.testing.assert_allclose(found["llr"][:3], scored["llr"][1:4], atol=1e-6)
    assert run(inputs, tmp_path / "out.vcf.gz", given="--bed", path=tmp_path / "some.bed") == 0
    assert [cells[4].count(",") for cells in rows(tmp_path / "out.vcf.gz")] == [2] * 6


def test_several_models_stand_beside_each_other(inputs, tmp_path):
    path = write_vcf(tmp_path / "in.vcf", [record(100), record(120, "N")])
    more = ["--model", f"second={inputs / 'causal'}"]
    assert run(inputs, tmp_path / "out.tsv", *more, "--score", "llr,ll", path=path) == 0
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert {"masked_llr", "second_ll", "masked_window_start", "second_window_bp"} < set(found)
    assert "second_llr" not in found and found["reason"].tolist()[1] == "ref_mismatch"
    assert run(inputs, tmp_path / "out.vcf", *more, "--score", "llr", path=path) == 0
    fields = [info(cells) for cells in rows(tmp_path / "out.vcf")]
    assert fields[0]["GLM_REASON"] == "second:not_masked" and "GLM_masked_llr" in fields[0]
    assert fields[1]["GLM_REASON"] == "ref_mismatch"


def test_one_bad_record_never_stops_a_run_and_too_many_do_before_any_pass(inputs, tmp_path, capsys, monkeypatch):
    wrong = record(150, "A" if TEXT[149] != "A" else "C", "G" if TEXT[149] != "G" else "T")
    path = write_vcf(tmp_path / "one.vcf", [wrong, record(160), record(170)])
    assert run(inputs, tmp_path / "one.tsv", path=path) == 0
    assert run(inputs, tmp_path / "one.strict.tsv", "--strict", path=path) == 1
    capsys.readouterr()
    monkeypatch.setattr(variants_run, "open_model", lambda *_: pytest.fail("a model was loaded"))
    path = write_vcf(tmp_path / "two.vcf", [*[wrong] * 2, *(record(pos) for pos in range(160, 180))])
    assert run(inputs, tmp_path / "two.tsv", path=path) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert (
        "REF of 2 of 22 alleles is not what the genome has, first chr1:150" in message and "another assembly" in message
    )
    monkeypatch.undo()
    assert run(inputs, tmp_path / "two.tsv", "--most-mismatches", 1, path=path) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("swapped", "REF and ALT are exchanged"),
        ("complement", "fit on the other strand"),
        ("chr", "contigs are 1, the genome has chr1, chr2. 1 may be the genome's chr1"),
    ],
)
def test_the_likely_cause_is_said(change, words, inputs, tmp_path, capsys):
    lines = []
    for pos in range(160, 180):
        own, other = TEXT[pos - 1], "ACGT"["TGCA".index(TEXT[pos - 1])]
        pair = {"swapped": (other, own), "complement": (other, own if False else alt(pos)), "chr": (own, other)}[change]
        if change == "complement" and pair[0] == pair[1]:
            pair = pair[0], next(base for base in "ACGT" if base not in (own, other))
        lines.append(record(pos, *pair, chrom="1" if change == "chr" else "chr1"))
    assert run(inputs, tmp_path / "out.tsv", path=write_vcf(tmp_path / "in.vcf", lines)) == 1
    assert words in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--score", "ll"], "masked has no ll: it needs a causal model"),
        (["--score", "nothing"], "no score nothing"),
        (["--window", "128"], "masked takes 64 bases"),
        (["--share", "20"], "more than half of the window"),
        (["--output", "out.txt"], "out.txt is not written"),
        (["--output", "x.tsv", "--length-matched", "1"], "fewer than 2 random indels"),
    ],
)
def test_what_cannot_be_done_is_one_line(options, words, inputs, tmp_path, capsys):
    path = write_vcf(tmp_path / "in.vcf", [record(100)])
    assert run(inputs, tmp_path / "out.tsv", *options, path=path) == 1
    assert words in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "out.tsv").exists()


def test_a_line_that_is_no_record_has_a_reason_like_any_other(inputs, tmp_path):
    good = [record(pos) for pos in range(200, 230)]
    path = write_vcf(tmp_path / "odd.vcf", [*good[:10], "chr1\t5\t.\tA", *good[10:]])
    assert run(inputs, tmp_path / "out.vcf.gz", path=path) == 0
    assert rows(tmp_path / "out.vcf.gz")[10] == ["chr1", "5", ".", "A"]
    assert run(inputs, tmp_path / "out.tsv", path=path) == 0
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t", keep_default_na=False)
    assert found["reason"].tolist() == [*[""] * 10, "not_a_record", *[""] * 20]
    table = found[found["reason"] == ""].drop(columns=["kind", "llr", "flank", "reason"])
    table.assign(start=table["start"].astype(str).where(table.index != 3, "three")).to_csv(
        tmp_path / "in.tsv", sep="\t", index=False
    )
    assert run(inputs, tmp_path / "again.tsv", given="--table", path=tmp_path / "in.tsv") == 0
    again = pd.read_csv(tmp_path / "again.tsv", sep="\t", keep_default_na=False)
    assert again["reason"].tolist() == [*[""] * 3, "not_a_record", *[""] * 26]


def test_files_that_cannot_be_read_are_one_line(inputs, tmp_path, capsys, monkeypatch):
    (tmp_path / "broken.vcf").write_text(f"{HEADER}{COLUMNS}\nchr1 100 . A C . . .\n")
    (tmp_path / "cut.vcf.gz").write_bytes(gzip.compress(b"##fileformat=VCFv4.2\n" * 1000)[:60])
    (tmp_path / "table.tsv").write_text("chromosome\tpos\tref\nchr1\t5\tA\n")
    (tmp_path / "number.tsv").write_text("chrom\tpos\tref\talt\nchr1\tfive\tA\tC\n")
    annotated = HEADER + '##INFO=<ID=GLM_masked_llr,Number=A,Type=Float,Description="x">\n'
    write_vcf(tmp_path / "again.vcf", [record(100)], annotated)
    for given, name, words in (
        ("--vcf", "broken.vcf", "record 1 is no VCF record (1 columns"),
        ("--vcf", "cut.vcf.gz", "damaged or cut short"),
        ("--vcf", "absent.vcf", "no such file"),
        ("--table", "table.tsv", "columns chromosome, pos, ref do not make variants"),
        ("--table", "number.tsv", "a position is no number"),
    ):
        assert run(inputs, tmp_path / "out.tsv", given=given, path=tmp_path / name) == 1, name
        lines = capsys.readouterr().err.strip().splitlines()
        assert words in lines[-1], lines
    monkeypatch.setattr(variants_run, "open_model", lambda *_: pytest.fail("a model was loaded"))
    assert run(inputs, tmp_path / "out.vcf", path=tmp_path / "again.vcf") == 1
    assert "has a field GLM_masked_llr already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.vcf.gz", "out.parquet", "out.tsv"])
def test_a_killed_run_resumes_to_the_same_bytes(name, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(score_runs, "part_size", lambda *_: 16)
    path = write_vcf(tmp_path / "in.vcf")
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    assert run(inputs, whole / name, "--length-matched", 3, path=path) == 0
    score = score_runs.score_edits
    for kill_at in (1, 2):
        done = []

        def killed(*given, done=done, kill_at=kill_at, **more):
            done.append(1)
            if len(done) > kill_at:
                raise KeyboardInterrupt
            return score(*given, **more)

        monkeypatch.setattr(score_runs, "score_edits", killed)
        with pytest.raises(KeyboardInterrupt):
            run(inputs, resumed / name, "--length-matched", 3, path=path)
        assert not (resumed / name).exists()
        if kill_at == 1:
            assert list(resumed.rglob("*.npy"))
    monkeypatch.setattr(score_runs, "score_edits", score)
    assert run(inputs, resumed / name, "--length-matched", 3, path=path) == 0
    assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    assert [one.name for one in resumed.iterdir() if "parts" in one.name] == []


@pytest.mark.slow
def test_a_process_killed_at_any_moment_resumes_to_the_same_bytes(inputs, tmp_path):
    path = write_vcf(tmp_path / "in.vcf", [record(pos) for pos in range(50, 350)] * 40)
    options = ["--model", inputs / "causal", "--fasta", inputs / "genome.fa", "--vcf", path, "--window", 64]
    command = lambda output: ["python", "-m", "glmflow.cli", "variants", *map(str, options), "--output", str(output)]  # noqa: E731
    subprocess.run(command(tmp_path / "whole.vcf.gz"), check=True, capture_output=True)
    kills = 0
    for parts in (1, 2):
        process = subprocess.Popen(command(tmp_path / "out.vcf.gz"), stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(tmp_path.glob("out.vcf.gz.parts/*/scores/*/*.npy"))) < parts:
            time.sleep(0.01)
        kills += process.poll() is None
        process.kill()
        process.wait()
    assert kills and not (tmp_path / "out.vcf.gz").exists()
    subprocess.run(command(tmp_path / "out.vcf.gz"), check=True, capture_output=True)
    assert (tmp_path / "out.vcf.gz").read_bytes() == (tmp_path / "whole.vcf.gz").read_bytes()


def test_parts_of_other_settings_are_not_taken(inputs, tmp_path):
    path = write_vcf(tmp_path / "in.vcf", [record(100)])
    assert run(inputs, tmp_path / "out.tsv", "--score", "llr", path=path) == 0
    first = (tmp_path / "out.tsv").read_text()
    assert run(inputs, tmp_path / "out.tsv", "--score", "llr", "--window", 16, path=path) == 0
    assert (tmp_path / "out.tsv").read_text() != first


def test_a_plan_counts_passes_before_any_is_made(inputs, tmp_path, capsys):
    lines = [record(pos, other=",".join(base for base in "ACGT" if base != TEXT[pos - 1])) for pos in range(150, 160)]
    path = write_vcf(tmp_path / "in.vcf", lines)
    assert run(inputs, tmp_path / "out.tsv", "--plan", "--score", "llr", path=path) == 0
    assert "masked: llr: 20 passes of 32 tokens" in capsys.readouterr().out  # 10 sites on 2 strands
    assert not (tmp_path / "out.tsv").exists()
    assert run(inputs, tmp_path / "out.tsv", "--plan", model="causal", path=path) == 0
    assert "causal: ll, ll_flank: 50 passes" in capsys.readouterr().out  # (1 + 3/2) windows a site and strand


def test_scores_that_a_model_has_are_listed(inputs, tmp_path, capsys):
    path = write_vcf(tmp_path / "in.vcf", [record(100)])
    assert run(inputs, tmp_path / "out.tsv", "--list-scores", path=path) == 0
    text = capsys.readouterr().out
    assert "masked: by default llr; insertions and deletions flank" in text and "ll            no: it needs" in text


def test_help_names_the_inputs():
    done = subprocess.run(["python", "-m", "glmflow.cli", "variants", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--vcf" in done.stdout and "--length-matched" in done.stdout
