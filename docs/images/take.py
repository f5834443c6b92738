"""Take the pictures of the README and of the tutorials from studies that were run here.

    snakemake --cores 2                                                        # the demo; and the same with --configfile
    python docs/images/take.py [--results results] [report browser ...]        #   for the studies that are named below

A picture whose study is not there stays as it is, and is named. Look at what was taken before it is committed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent


class Picture(NamedTuple):
    """A picture: the page below `results`, what of it is shown (a selector; all of the window if empty), and the window."""

    page: str
    part: str
    width: int
    height: int
    scale: float = 1


PICTURES = {
    "report": Picture("demo/report/index.html", "", 1400, 1300, 0.8),
    "browser": Picture("demo/report/tracks.html", "", 1400, 760),
    "tutorial_tracks": Picture("demo/report/tracks.html", "#browser", 1240, 900),
    "tutorial_model": Picture("demo/report/models.html", "main", 1240, 640),
    "tutorial_pbs": Picture("demo/status.html", "", 1000, 620),
    "tutorial_cohort": Picture("snp2gex/report/personal.html", "main", 1240, 720),
    "tutorial_sequences": Picture("sequences_demo/report/sequences.html", "main", 1240, 720),
    "tutorial_variants": Picture("variant_effects/report/variants.html", "main", 1240, 720),
}
"""Name of a picture to what it shows."""


def main() -> int:
    """Take those pictures whose studies are there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of studies (default: results)")
    parser.add_argument("--browser", default="/usr/bin/chromium", help="default: /usr/bin/chromium")
    parser.add_argument("names", nargs="*", default=[], help=f"default: all of {', '.join(PICTURES)}")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.browser, args=["--no-sandbox", "--disable-gpu", "--headless"]
        )
        for name in arguments.names or PICTURES:
            path = arguments.results / PICTURES[name].page
            if not path.exists():
                print(f"{name}: left as it is, {path} is not there")
                continue
            page = browser.new_page(
                viewport={"width": PICTURES[name].width, "height": PICTURES[name].height},
                device_scale_factor=PICTURES[name].scale,
                offline=True,
            )
            take(page, path, PICTURES[name], HERE / f"{name}.png")
            page.close()
            print(f"{name}: {(HERE / f'{name}.png').stat().st_size:,} bytes")
        browser.close()
    return 0


def take(page: Page, path: Path, picture: Picture, output: Path) -> None:
    """Open a page, wait until it is drawn, and write the picture of its part, as far as the window shows it."""
    page.goto(f"file://{path.resolve()}", timeout=120_000)
    if "dataset.ready" in path.read_text():
        page.wait_for_selector("body[data-ready=yes]", timeout=120_000)
    if "igvBrowser" in path.read_text():  # the tracks are drawn after the page is ready
        page.wait_for_timeout(4_000)
    clip = None
    if picture.part:
        box = page.locator(picture.part).first.bounding_box()
        clip = {**box, "height": min(box["height"], picture.height - box["y"])}
    page.screenshot(path=output, clip=clip)


if __name__ == "__main__":
    sys.exit(main())
