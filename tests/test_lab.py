"""The explorer notebook in a real JupyterLab in a real browser: it runs, charts appear and are linked, no request leaves the machine."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import builders
import pytest
from browsing import SWITCHES
from playwright.sync_api import Locator, Page, sync_playwright

from kenpo_lib.batch.paths import Paths
from kenpo_lib.charts.theme import BLOCK, PAPER

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("report")]
START_SECONDS = 60
RUN_MILLISECONDS = 120_000


@pytest.fixture
def lab(published: Paths, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab with the project's configuration, on a copy of the notebooks."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "home"
    project = published.notebooks.parent
    command = [
        *(sys.executable, "-m", "jupyterlab", f"--config={builders.ROOT / 'tools' / 'jupyter_lab_config.py'}"),
        *("--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=test", "--LabApp.expose_app_in_browser=True"),
    ]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home), "HOME": str(home)}
    home.mkdir()
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/status?token=test", tmp_path / "lab.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address)
            return
        time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def test_explorer_notebook_runs_in_jupyterlab_without_any_outside_request(lab: str, published: Paths, chromium: str):
    shutil.copy(published.notebooks / "00_explore.ipynb", published.notebooks / "try.ipynb")
    switches = [*SWITCHES[:-1], "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    requests: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=switches)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{lab}/lab/tree/notebooks/try.ipynb?token=test")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=RUN_MILLISECONDS)
        page.wait_for_function(
            "window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=RUN_MILLISECONDS,
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        charts = page.locator(".jp-OutputArea .vega-embed svg.marks")
        charts.nth(2).wait_for(timeout=RUN_MILLISECONDS, state="attached")
        before, after, pointed, pinned = _drag_and_pin(page, charts.nth(2))
        errors = page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()
        browser.close()

    assert before["readout"] == "図をドラッグして支部を選ぶ"
    assert before["strong"] == 0
    picked = int(re.fullmatch(r"選択 (\d+) / 47 支部", after["readout"])[1])
    assert 5 < picked < 47
    assert after["strong"] == picked
    assert re.search(r"出典\s*\S", pointed)
    assert (before["pinned"], after["pinned"]) == ("宮城", "宮城")
    assert pinned["pinned"] not in ("宮城", "なし")
    assert pinned["readout"] == after["readout"]
    assert errors == []
    assert [url for url in requests if not re.match(rf"{lab}/|data:|blob:", url)] == []


# The first text of the linked charts, how many lines of years are those of branches in the brush, and what the dropdown says.
_READ = """(svg, colour) => ({
  readout: svg.querySelector('text').textContent,
  strong: svg.querySelectorAll(`g.mark-line path[stroke="${colour}"]`).length,
  pinned: svg.closest('.vega-embed').querySelector('select').selectedOptions[0].textContent,
})"""
# The middles of the dots of two KPIs, but for the pinned one.
_DOTS = """(svg, paper) => [...svg.querySelectorAll(`g.mark-symbol path[aria-label^="across"][fill="${paper}"]`)]
  .map(dot => dot.getBoundingClientRect()).map(box => [box.x + box.width / 2, box.y + box.height / 2])"""


def _drag_and_pin(page: Page, chart: Locator) -> tuple[dict, dict, str, dict]:
    """What the linked charts say before a drag over the upper half of the branches, after it, of a branch that is pointed at inside
    the brush, and after a click on another one."""
    chart.scroll_into_view_if_needed()
    before = chart.evaluate(_READ, BLOCK)
    dots = chart.evaluate(_DOTS, PAPER)
    xs, ys = sorted(x for x, _ in dots), sorted(y for _, y in dots)
    page.mouse.move(xs[0] - 8, ys[0] - 8)
    page.mouse.down()
    page.mouse.move(xs[20], ys[10], steps=3)
    page.mouse.move(xs[-1] + 8, ys[23] + 0.5, steps=3)
    page.mouse.up()
    after = _read_when_changed(page, chart, "readout", before)
    page.mouse.move(*min(dots, key=lambda dot: dot[1]))
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    pointed = tooltip.inner_text()
    page.mouse.click(*max(dots, key=lambda dot: dot[1]))
    return before, after, pointed, _read_when_changed(page, chart, "pinned", after)


def _read_when_changed(page: Page, chart: Locator, part: str, before: dict) -> dict:
    """What they say once a part of it is another; as it is, where it stays the same."""
    end = time.monotonic() + 10
    while (now := chart.evaluate(_READ, BLOCK))[part] == before[part] and time.monotonic() < end:
        page.wait_for_timeout(50)
    page.wait_for_timeout(200)  # what follows from the last move of the pointer
    return chart.evaluate(_READ, BLOCK) if now[part] != before[part] else now
