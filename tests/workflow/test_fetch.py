"""`snakemake -c1 fetch` against a web server on this machine, as a user calls it."""

import sys

import yaml
from running import ROOT

sys.path.insert(0, str(ROOT / "tests/unit/fetching"))
from web_server import serving


def test_a_set_is_fetched_and_a_study_that_lacks_it_says_how(workdir, snakemake):
    """What is missing is said with the command that brings it; that command brings it, before the study's files are there."""
    with serving({"/genome.fa": b">chr1\nACGT\n"}) as server:
        listed = {"about": "a genome", "licence": "free", "files": [{"address": f"{server.address}/genome.fa"}]}
        by_hand = {"about": "on request", "licence": "?", "page": "https://x.org", "note": "Ask them.", "files": []}
        (workdir / "config/data.yaml").write_text(yaml.safe_dump({"tiny": listed, "private": by_hand}))
        study = yaml.safe_load((workdir / "config/studies/context_extension.yaml").read_text())
        del study["simulate"]
        study |= {"data": ["tiny"], "reference": {"fasta": "resources/tiny/genome.fa"}}
        (workdir / "mine.yaml").write_text(yaml.safe_dump(study))

        lacking = snakemake("-n", "--configfile", "mine.yaml", directory=workdir, check=False)
        assert "`snakemake -c1 fetch --config data=tiny` downloads it" in lacking.stdout + lacking.stderr
        fetched = snakemake("-c1", "fetch", "--configfile", "mine.yaml", directory=workdir)
        assert (workdir / "resources/tiny/genome.fa").read_bytes() == b">chr1\nACGT\n"
        assert "[1/1] resources/tiny/genome.fa" in fetched.stdout + fetched.stderr
        assert "resources/tiny/genome.fa" in (workdir / "resources/checksums.tsv").read_text()

        private = snakemake("-c1", "fetch", "--config", "data=private", directory=workdir, check=False)
        assert (
            "private: no file of it can be fetched: Ask them. Its page: https://x.org"
            in private.stdout + private.stderr
        )
        assert "Traceback" not in private.stdout + private.stderr
        both = snakemake("-c1", "fetch", "--config", "data=private,tiny", directory=workdir)  # the rest is fetched
        assert "there already: 1" in both.stderr and "private: no file of it can be fetched: Ask them." in both.stderr
