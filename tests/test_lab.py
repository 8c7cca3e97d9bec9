"""The explorer notebook in a real JupyterLab in a real browser: it runs, the charts appear, no request leaves the machine."""

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
from playwright.sync_api import sync_playwright

from kenpo_lib.batch.paths import Paths

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
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


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
        charts = page.locator(".jp-OutputArea .vega-embed canvas, .jp-OutputArea .vega-embed svg.marks")
        charts.nth(1).wait_for(timeout=RUN_MILLISECONDS, state="attached")
        errors = page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()
        browser.close()

    assert errors == []
    assert [url for url in requests if not re.match(rf"{lab}/|data:|blob:", url)] == []
