"""What tests of pages share: the browser, and the pages of a study that mixes kinds."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

MIXED = {
    "rnaseq_tracks": "tracks.html", "expression": "personal.html", "permuted": "personal.permuted.html",
    "far": "context.html", "near": "context.near.html", "promoters": "sequences.html", "splice": "sequences.splice.html",
}  # fmt: skip
