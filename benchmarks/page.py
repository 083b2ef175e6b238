"""How large the page of a run is and how long a browser takes to show it: `python -m benchmarks.page [RUN ...]`.

Each RUN is a run id or a task, as `tapeline report` takes it; of every task the newest recorded run, if none is named.
Chromium opens the page offline on a screen of a desk and one of a phone, each time as if for the first time: seconds
until all of it is loaded and painted (the median of some), what its console said, whom it asked, how far it is wider
than the screen; and how many sheets it takes printed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from pipelines import catalogue
from pipelines.cli.quiet import import_tensorflow
from pipelines.errors import BadInput

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ASIDE = ("--no-sandbox", "--disable-dev-shm-usage")
"""As root, and in a container, a browser starts no other way."""
SCREENS = {"desk": 1280, "phone": 360}
TIMES = 5
SHOWN = """() => new Promise(told => requestAnimationFrame(() => requestAnimationFrame(
    () => told(performance.now() / 1000))))"""
"""Seconds since the page was asked for, once a frame with all of it has been painted."""


def main() -> None:
    """Write each page, show it, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="runs or tasks; the newest run of every task if left out"
    )
    parser.add_argument("--pdf", metavar="FOLDER", type=Path, help="keep what is printed here")
    asked = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser is installed here ({', '.join(BROWSERS)})")
    import_tensorflow(debug=False)
    with tempfile.TemporaryDirectory() as folder:
        pages = dict(_pages(asked.runs, Path(folder)))
        for name, found in shown(pages, browser, asked.pdf).items():
            print(f"{name}: {line(found)}", flush=True)


def _pages(runs: list[str], folder: Path) -> Any:
    """Name and file of the page of each run; of every task that has a finished run if none is named."""
    from pipelines.cli.reporting import report

    for run in runs or catalogue.names():
        page = folder / f"{run.replace('/', '-')}.html"
        try:
            with redirect_stdout(StringIO()):  # the names of the pages
                report(run, page, "", None, open_=False, debug=False)
        except BadInput as error:
            if runs:
                sys.exit(str(error))
            continue
        yield run, page


def shown(pages: dict[str, Path], browser: str, prints: Path | None) -> dict[str, dict[str, Any]]:
    """What the browser found of each page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=browser, args=list(ASIDE))
        found = {name: _of_page(chromium, path, prints) for name, path in pages.items()}
        chromium.close()
    return found


def _of_page(chromium: Any, path: Path, prints: Path | None) -> dict[str, Any]:
    found: dict[str, Any] = {"mb": path.stat().st_size / 1e6, "heard": [], "asked": set()}
    for screen, width in SCREENS.items():
        seconds = []
        for _ in range(TIMES):
            context = chromium.new_context(viewport={"width": width, "height": 800}, offline=True)
            page = context.new_page()
            page.on("console", lambda message: found["heard"].append(message.text))
            page.on("pageerror", lambda error: found["heard"].append(str(error)))
            page.on("request", lambda request: found["asked"].add(request.url))
            page.goto(path.as_uri())
            seconds.append(page.evaluate(SHOWN))
            found[f"wider_on_{screen}"] = page.evaluate("document.documentElement.scrollWidth") - width
            context.close()
        found[screen] = statistics.median(seconds)
    found["asked"] = sorted(url for url in found["asked"] if not url.startswith(("data:", path.as_uri())))
    page = chromium.new_page()
    page.goto(path.as_uri())
    printed = page.pdf(format="A4", print_background=True)
    page.close()
    found["sheets"] = len(re.findall(rb"/Type\s*/Page\b", printed))
    if prints is not None:
        prints.mkdir(parents=True, exist_ok=True)
        (prints / path.with_suffix(".pdf").name).write_bytes(printed)
    return found


def line(found: dict[str, Any]) -> str:
    """The same, to read."""
    return (
        f"{found['mb']:.2f} MB; loaded and painted in {found['desk']:.2f} s on a desk, {found['phone']:.2f} s on a "
        f"phone; console: {found['heard'] or 'nothing'}; asked: {found['asked'] or 'nobody'}; wider than the screen by "
        f"{max(found['wider_on_desk'], 0)} and {max(found['wider_on_phone'], 0)} px; {found['sheets']} sheets of A4"
    )


if __name__ == "__main__":
    main()
