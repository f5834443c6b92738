"""The index of the search over all pages: what a page shows is in it, with the address that shows it."""

import json

import pandas as pd
from glmflow.report.rendering import embed, records
from glmflow.report.search_index import MOST, Entry, Findable, page_entries, search_script

GENES = pd.DataFrame({
    "gene_id": ["G 1", "G2", "G2"], "gene_name": ["alpha", "G2", "G2"], "chrom": ["1"] * 3, "start": [5, 9, 9], "end": [8, 12, 12],
})  # fmt: skip
PAGE = (
    '<section id="loss">\n  <h2>Loss &amp; <em>length</em></h2></section><td data-find="variant">1:5:A:C</td>'
    '<td data-find="run" data-found="net (full)">net <b>x</b></td>'
    f'<script id="data" type="application/json">{embed({"genes": records(GENES), "datasets": {"more": records(GENES)}})}</script>'
)


def read(script):
    """The object that a script pushes, without its base."""
    inside = script.partition("...")[2].rpartition("});")[0]
    return json.loads(inside)


def test_sections_marked_cells_and_rows_are_found_once_with_their_address():
    found = page_entries(PAGE, "p.html", {"genes": Findable("gene", "gene_name", "gene={gene_id}", "gene_id")})
    assert found == [
        Entry("Loss & length", "section", "p.html", "loss"),
        Entry("1:5:A:C", "variant", "p.html", "find=1%3A5%3AA%3AC"),
        Entry("net (full)", "run", "p.html", "find=net%20%28full%29"),
        Entry("alpha (G 1)", "gene", "p.html", "gene=G%201", "1", 5, 8),
        Entry("G2", "gene", "p.html", "gene=G2", "1", 9, 12),
    ]


def test_rows_of_datasets_are_asked_for_by_name_where_a_page_has_no_address_of_its_own():
    found = page_entries(PAGE, "p.html", {"more": Findable("gene", "gene_name"), "none": Findable("TF", "tf")})
    assert [entry.fragment for entry in found[3:]] == ["find=alpha", "find=G2"]


def test_the_script_names_each_page_once_and_leaves_out_what_is_empty():
    index = read(
        search_script([Entry("t", "task", "b.html"), Entry("g", "gene", "a.html", "find=g", "1", 0, 9)], "Study")
    )
    assert index == {
        "title": "Study",
        "pages": ["b.html", "a.html"],
        "entries": [["t", "task", 0], ["g", "gene", 1, "find=g", "1", 0, 9]],
    }


def test_what_is_left_out_of_a_large_index_is_said():
    entries = read(search_script((Entry(f"g{n}", "gene", "a.html") for n in range(MOST + 5)), "Study"))["entries"]
    assert len(entries) == MOST and entries[-1][0] == "6 further entries are left out of this search"
