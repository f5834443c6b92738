"""Downloads from a web server on this machine that cuts, redirects, knows no ranges or sends something else."""

import os
import shutil
from types import SimpleNamespace

import pytest
from glmflow.errors import InputError
from glmflow.fetching import downloads
from glmflow.fetching.downloads import TRIES, download
from web_server import serving

CONTENT = os.urandom(300_000)


@pytest.fixture
def server():
    with serving({"/genome.fa.gz": CONTENT}) as server:
        yield server


def get(server, part, name="genome.fa.gz", checked=False, **more):
    waited = []
    download(f"{server.address}/{name}", part, checked, wait=waited.append, **more)
    return waited


def test_a_whole_file(server, tmp_path):
    seen = []
    get(server, tmp_path / "a/x.part", progress=lambda have, total: seen.append((have, total)))
    assert (tmp_path / "a/x.part").read_bytes() == CONTENT and seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x.part"], "no notes are left"


def test_a_cut_connection_is_gone_on_with_where_it_was_cut(server, tmp_path):
    server.cut = [100_000, 70_000]
    waited = get(server, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-", "bytes=170000-"]
    assert server.sent == len(CONTENT), "no byte came twice"
    assert len(waited) == 2


def test_a_killed_download_is_gone_on_with_by_the_next_call(server, tmp_path):
    class Killed(BaseException):
        pass

    def kill(seconds):
        raise Killed

    server.cut = [120_000]
    with pytest.raises(Killed):
        download(f"{server.address}/genome.fa.gz", tmp_path / "x.part", False, wait=kill)
    assert (tmp_path / "x.part").stat().st_size == 120_000
    get(server, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == CONTENT and server.sent == len(CONTENT)


def test_another_version_is_not_glued_to_the_first(server, tmp_path):
    """The file is exchanged on the server while it is fetched: its second half is not that of the first."""
    server.cut = [100_000]
    new = os.urandom(300_000)

    def exchange(seconds):
        server.files["/genome.fa.gz"], server.version = new, '"two"'

    download(f"{server.address}/genome.fa.gz", tmp_path / "x.part", False, wait=exchange)
    assert (tmp_path / "x.part").read_bytes() == new


@pytest.mark.parametrize("shorter", [b"", b"a" * 50_000])
def test_a_new_version_that_is_shorter_leaves_nothing_of_the_old_one(server, tmp_path, shorter):
    server.cut = [100_000]

    def exchange(seconds):
        server.files["/genome.fa.gz"], server.version = shorter, '"two"'

    download(f"{server.address}/genome.fa.gz", tmp_path / "x.part", False, wait=exchange)
    assert (tmp_path / "x.part").read_bytes() == shorter


def test_a_server_without_ranges_sends_the_whole_file_again(server, tmp_path):
    server.ranges, server.cut = False, [100_000]
    get(server, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == CONTENT and server.sent == 100_000 + len(CONTENT)


@pytest.mark.parametrize(("checked", "resumed"), [(True, True), (False, False)])
def test_a_server_without_versions_is_gone_on_with_only_if_a_checksum_would_tell(server, tmp_path, checked, resumed):
    server.version, server.cut = None, [100_000]
    get(server, tmp_path / "x.part", checked=checked)
    assert (tmp_path / "x.part").read_bytes() == CONTENT
    assert (server.asked[1][1] == "bytes=100000-") == resumed


def test_redirects_are_followed(server, tmp_path):
    server.moved = {"/old.gz": "/older.gz", "/older.gz": f"{server.address}/genome.fa.gz"}
    get(server, tmp_path / "x.part", "old.gz")
    assert (tmp_path / "x.part").read_bytes() == CONTENT


def test_redirects_in_a_circle_are_one_line(server, tmp_path):
    server.moved = {"/a": "/b", "/b": "/a"}
    with pytest.raises(InputError, match=r"/a: cannot be fetched \(Exceeded 30 redirects"):
        get(server, tmp_path / "x.part", "a")


def test_a_redirect_from_https_to_http_is_refused(server, tmp_path, monkeypatch):
    class Session(downloads.requests.Session):
        def get(self, address, **settings):
            return super().get(address.replace("https:", "http:"), **settings)

    monkeypatch.setattr(downloads.requests, "Session", Session)
    with pytest.raises(InputError, match="which is not https"):
        download(server.address.replace("http:", "https:") + "/genome.fa.gz", tmp_path / "x.part", False)
    assert not (tmp_path / "x.part").exists()


@pytest.mark.parametrize("code", [503, 429, 500])
def test_a_busy_server_is_asked_again(server, tmp_path, code):
    server.status = [code, code]
    assert len(get(server, tmp_path / "x.part")) == 2
    assert (tmp_path / "x.part").read_bytes() == CONTENT


@pytest.mark.parametrize("code", [403, 404, 410])
def test_what_will_not_come_is_asked_for_once(server, tmp_path, code):
    server.status = [code]
    with pytest.raises(InputError, match=rf"the server answers {code} .*config/data.yaml"):
        get(server, tmp_path / "x.part")
    assert len(server.asked) == 1


def test_it_gives_up_when_nothing_comes_any_more_and_keeps_what_came(server, tmp_path):
    server.cut = [100_000] + [0] * 50
    with pytest.raises(InputError, match=rf"\({TRIES} times\). Try again later: what has arrived is kept"):
        get(server, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == CONTENT[:100_000] and len(server.asked) == 1 + TRIES


def test_many_cuts_are_borne_as_long_as_something_comes(server, tmp_path):
    server.cut = [20_000] * 14
    get(server, tmp_path / "x.part")
    assert (tmp_path / "x.part").read_bytes() == CONTENT and server.sent == len(CONTENT)


def test_no_server_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"http://127.0.0.1:9/x: Failed to establish a new connection.*\(5 times\)"):
        download("http://127.0.0.1:9/x", tmp_path / "x.part", False, wait=lambda seconds: None)


def test_a_web_page_in_place_of_the_file_is_refused(server, tmp_path):
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(InputError, match="a web page came instead of the file"):
        get(server, tmp_path / "x.part")
    assert not (tmp_path / "x.part").exists()


def test_no_space_is_said_before_a_byte_is_written(server, tmp_path, monkeypatch):
    free = SimpleNamespace(free=downloads.RESERVE + len(CONTENT) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(InputError, match=r"no space: .* GB are free"):
        get(server, tmp_path / "x.part")
    assert not (tmp_path / "x.part").exists()
    free.free += 1
    get(server, tmp_path / "x.part")


def test_a_disk_that_fills_up_while_writing_is_one_line(server, tmp_path):
    """/dev/full takes no byte (Linux): the same error as a full disk."""
    server.length = False  # nothing to compare with the free space beforehand
    part = tmp_path / "x.part"
    part.symlink_to("/dev/full")
    with pytest.raises(InputError, match="no space"):
        get(server, part)


def test_a_file_that_is_complete_is_not_fetched_again(server, tmp_path):
    part = tmp_path / "x.part"
    part.write_bytes(CONTENT)
    (tmp_path / "x.part.from").write_text(f'{{"address": "{server.address}/genome.fa.gz", "version": "\\"one\\""}}')
    get(server, part)
    assert part.read_bytes() == CONTENT and server.sent == 0


def test_what_is_left_of_another_address_is_not_gone_on_with(server, tmp_path):
    part = tmp_path / "x.part"
    part.write_bytes(b"x" * 1000)
    (tmp_path / "x.part.from").write_text('{"address": "http://elsewhere/x", "version": "\\"one\\""}')
    get(server, part, checked=True)
    assert part.read_bytes() == CONTENT
