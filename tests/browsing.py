"""Pages in Chromium with the network blocked: what they ask for and say, what axe-core finds, and what it cannot judge."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import builders
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"),
]


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # few tests need it

    # The machine may have no Japanese font; the pages are looked at with the one that the project ships.
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f"<dir>{builders.ROOT / 'kenpo_lib' / 'fonts'}</dir><cachedir>{folder}</cachedir>"
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include></fontconfig>',
        encoding="utf-8",
    )
    environment = os.environ | {"FONTCONFIG_FILE": str(folder / "fonts.conf")}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=SWITCHES, env=environment)
        yield launched
        launched.close()


def open_page(browser: Browser, path: Path, *, width: int, **options: object) -> tuple[Page, list[str], list[str]]:
    """The page, every request but the file itself, and everything that it says on the console or in a dialog."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    requests: list[str] = []
    messages: list[str] = []

    def dismiss(dialog: object) -> None:
        messages.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", dismiss)
    page.goto(path.as_uri())
    return page, [url for url in requests if url != path.as_uri() and not url.startswith("data:")], messages


def unfold(page: Page) -> None:
    """Open everything that can be unfolded."""
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")


# --- axe-core -------------------------------------------------------------------------------------------------------

CONTRAST = "color-contrast"


def run_axe(page: Page, *, contrast: bool) -> tuple[list[str], set[str]]:
    """What axe-core finds, a line for each rule with its first element; and the rules that it could not decide.

    Args:
        page: An open page. Its policy forbids scripts and stays as it is: axe-core runs in a world of its own.
        contrast: The rule about contrast, which takes longest, or all others.
    """
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]

    def evaluate(expression: str) -> Any:
        options = {"contextId": world, "awaitPromise": True, "returnByValue": True}
        answer = session.send("Runtime.evaluate", {"expression": expression, **options})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8") + ";0")
    if contrast:  # also of short texts and of signs such as ◆
        judged = {"options": {"ignoreUnicode": False, "ignoreLength": True}}
        options = {"runOnly": {"type": "rule", "values": [CONTRAST]}, "checks": {CONTRAST: judged}}
    else:
        options = {"rules": {CONTRAST: {"enabled": False}}}
    # A chart is one picture with a label; see ``faint_texts`` for the text in it.
    found = evaluate(
        f"axe.run({{exclude: [['svg > *']]}}, {json.dumps(options)})"
        ".then(({violations, incomplete, passes}) => ({violations, incomplete, passed: passes.length}))"
    )
    session.detach()
    assert found["passed"] > 0
    lines = [
        f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:200]} – {rule['nodes'][0]['failureSummary']}"
        for rule in found["violations"]
    ]
    return lines, {rule["id"] for rule in found["incomplete"]}


# --- contrast -------------------------------------------------------------------------------------------------------

# Each text against what is painted beneath its middle: the last filled shape before it in its chart, or the nearest
# background. Colours are read back from a canvas, in whatever notation the browser has computed them.
_FAINT_TEXTS = """minimum => {
  const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
    .getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const read = colour => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, i) => part * a + under[i] * (1 - a));
  const luminance = colour => {
    const [r, g, b] = colour.map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const paper = element => {
    if (!element) return [255, 255, 255];
    const own = read(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, paper(element.parentElement));
  };
  const painted = (element, under) => {
    const style = getComputedStyle(element);
    const [r, g, b, a] = read(style.fill);
    return over([r, g, b, a * style.fillOpacity * style.opacity], under);
  };
  const shapes = new Map();
  const shapesOf = svg => {
    if (!shapes.has(svg)) {
      const filled = [...svg.querySelectorAll('path, rect, circle')]
        .filter(shape => getComputedStyle(shape).fill !== 'none');
      shapes.set(svg, filled.map(shape => [shape, shape.getBoundingClientRect()]));
    }
    return shapes.get(svg);
  };
  const beneath = (text, svg, x, y) => shapesOf(svg)
    .filter(([shape, box]) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom
      && shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING
      && shape.isPointInFill(new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse())))
    .reduce((under, [shape]) => painted(shape, under), paper(svg.parentElement));

  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, svg = element.closest('svg');
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!node.data.trim() || !box.width || !element.checkVisibility() || element.closest('desc, title')) continue;
    texts += 1;
    const under = svg ? beneath(element, svg, box.x + box.width / 2, box.y + box.height / 2) : paper(element);
    const ink = svg ? painted(element, under) : over(read(getComputedStyle(element).color), under);
    if (ratio(ink, under) < minimum)
      faint.push(`${ratio(ink, under).toFixed(2)} ${node.data.trim().slice(0, 40)} ${ink.map(Math.round)} on ${under.map(Math.round)}`);
  }
  return [texts, faint];
}"""


def faint_texts(page: Page, *, minimum: float = 4.5) -> list[str]:
    """Texts of the page, also those in charts, that contrast less with what is beneath them than WCAG 2 asks for (AA)."""
    texts, faint = page.evaluate(_FAINT_TEXTS, minimum)
    assert texts > 0
    return faint
