"""Reports: papermill runs the notebook of each branch, nbconvert writes its page, a checked page is published.

A file under a report's final name is always complete and checked, or the previous good one: notebooks run in a work folder,
and only a page that passed every check replaces the old one.
"""

from __future__ import annotations

import concurrent.futures
import json
import logging
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kenpo_lib.catalogue import NATION, Catalogue
from kenpo_lib.errors import KenpoError
from kenpo_lib.fast_import import import_jsonschema
from kenpo_lib.files import MANIFEST, sha256_of, write_atomically
from kenpo_lib.language import Text, say
from kenpo_lib.normalise import format_fiscal_year

BRANCH_NOTEBOOK = "20_branch_profile.ipynb"
OVERVIEW_NOTEBOOK = "10_national_overview.ipynb"
CELL_TIMEOUT_SECONDS = 120


class ReportFailedError(KenpoError):
    """One report could not be made; the message says why in one sentence."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders that a report needs."""

    curated: Path
    notebooks: Path
    templates: Path
    reports: Path


@dataclass(frozen=True, slots=True)
class Job:
    """One report to make; the file name is made from the branch master, never from what a user typed."""

    branch_code: str
    fiscal_year: int
    lang: str
    file: str

    @property
    def notebook(self) -> str:
        return OVERVIEW_NOTEBOOK if self.branch_code == NATION else BRANCH_NOTEBOOK


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended; ``bytes`` and ``sha256`` are null where it failed."""

    branch_code: str
    lang: str
    file: str
    ok: bool
    reason: str | None = None
    bytes: int | None = None
    sha256: str | None = None


def plan_jobs(catalogue: Catalogue, branch_codes: Iterable[str], *, fiscal_year: int, lang: str) -> list[Job]:
    """The reports of the branches and the overview that belongs to them."""
    jobs = []
    suffix = "" if lang == "ja" else f"_{lang}"
    for code in (NATION, *branch_codes):
        name = catalogue.branches[code].name.en.lower()
        assert name.isascii(), name
        jobs.append(Job(code, fiscal_year, lang, f"kenpo_{code}_{name}_FY{fiscal_year}{suffix}.html"))
    return jobs


def make_reports(
    jobs: Sequence[Job], paths: Paths, *, workers: int, on_outcome: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Make all reports, ``workers`` at a time, each in a process that another job's failure cannot touch.

    Returns:
        One outcome per job, in the order of the jobs. A failed job leaves the previous file of that name as it was.
    """
    # spawn and not fork: polars and V8 have threads that do not survive a fork.
    context = multiprocessing.get_context("spawn")
    outcomes: dict[str, Outcome] = {}
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        futures = {pool.submit(make_report, job, paths): job for job in jobs}
        for future in concurrent.futures.as_completed(futures):
            job = futures[future]
            try:
                outcome = future.result()
            except concurrent.futures.process.BrokenProcessPool:
                reason = say("作業プロセスが停止しました", "the worker process died")
                outcome = Outcome(job.branch_code, job.lang, job.file, ok=False, reason=reason)
            outcomes[job.branch_code] = outcome
            on_outcome(outcome)
    return [outcomes[job.branch_code] for job in jobs]


def _start_worker() -> None:
    # Two workers share two cores: more threads each cost memory and gain nothing (see benchmarks/).
    os.environ["POLARS_MAX_THREADS"] = "1"


def make_report(job: Job, paths: Paths) -> Outcome:
    """Run, convert, check and publish one report; every failure becomes an outcome."""
    folder = paths.reports / str(job.fiscal_year)
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".work-{job.branch_code}-", dir=folder))
    try:
        page = render_report(job, paths, work)
        write_atomically(folder / job.file, page.encode("utf-8"))
    except ReportFailedError as error:
        return Outcome(job.branch_code, job.lang, job.file, ok=False, reason=str(error))
    except OSError as error:
        return Outcome(
            job.branch_code, job.lang, job.file, ok=False, reason=f"{type(error).__name__}: {error.strerror}"
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    published = folder / job.file
    return Outcome(
        job.branch_code, job.lang, job.file, ok=True, bytes=published.stat().st_size, sha256=sha256_of(published)
    )


def render_report(job: Job, paths: Paths, work: Path) -> str:
    """The finished, checked page of one job.

    Raises:
        ReportFailedError: The notebook failed or did not run to its end, or the page did not pass the check.
    """
    from kenpo_lib.page import check_page

    sentinel = work / "sentinel.json"
    parameters = {
        "branch": job.branch_code,
        "fiscal_year": job.fiscal_year,
        "lang": job.lang,
        "curated_dir": str(paths.curated.resolve()),
        "sentinel": str(sentinel),
    }
    notebook = run_notebook(paths.notebooks / job.notebook, work / job.notebook, parameters)
    _check_sentinel(sentinel, job, paths)
    page = export_page(notebook, paths.templates, lang=job.lang, title=_title(job))
    if problems := check_page(page):
        raise ReportFailedError(say("頁の検査に不合格: ", "the page failed its check: ") + "; ".join(problems[:5]))
    return page


def run_notebook(source: Path, output: Path, parameters: dict[str, Any]) -> Any:
    """Execute a notebook with papermill and make sure that it ran to its end.

    Raises:
        ReportFailedError: A cell raised, the kernel died or hung, or a cell did not run.
    """
    import_jsonschema()
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="kenpo-") as sockets:
            notebook = papermill.execute_notebook(
                str(source),
                str(output),
                parameters=parameters,
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=CELL_TIMEOUT_SECONDS,
                start_timeout=CELL_TIMEOUT_SECONDS,
                extra_arguments=["--IPKernelApp.log_level=50"],  # what goes wrong is in the notebook
                **_transport(sockets),
            )
    except PapermillExecutionError as error:
        raise ReportFailedError(
            say(
                f"ノートブックの{error.exec_count}番目のセルで失敗: ",
                f"cell {error.exec_count} of the notebook failed: ",
            )
            + f"{error.ename}: {error.evalue}"
        ) from error
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        raise ReportFailedError(
            say("ノートブックの実行が止まりました: ", "the notebook stopped: ") + type(error).__name__
        ) from error
    if not is_complete(notebook):
        raise ReportFailedError(say("実行されなかったセルがあります", "some cells did not run"))
    return notebook


def _transport(folder: str) -> dict[str, Any]:
    """Talk to the kernel over sockets in a private folder where the system has them: loopback TCP is open to every local user."""
    if os.name == "nt":
        return {}
    from jupyter_client.manager import AsyncKernelManager

    class IpcKernelManager(AsyncKernelManager):
        def _transport_default(self) -> str:
            return "ipc"

        def _ip_default(self) -> str:
            return f"{folder}/kernel"

    return {"kernel_manager_class": IpcKernelManager}


def is_complete(notebook: Any) -> bool:
    """True if every code cell ran. papermill calls cells completed even after their kernel died, so counts decide."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return bool(code) and all(
        cell.metadata.get("papermill", {}).get("status") == "completed"
        and not cell.metadata["papermill"].get("exception")
        and cell.execution_count is not None
        for cell in code
    )


def _check_sentinel(path: Path, job: Job, paths: Paths) -> None:
    expected = {
        "branch": job.branch_code,
        "fiscal_year": job.fiscal_year,
        "inputs": sha256_of(paths.curated / MANIFEST),
    }
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportFailedError(
            say("ノートブックが最後まで実行されませんでした", "the notebook did not reach its end")
        ) from error
    if found != expected:
        raise ReportFailedError(
            say(
                "ノートブックが別の支部・年度・データを扱いました",
                "the notebook was about another branch, year or data",
            )
        )


# --- pages ----------------------------------------------------------------------------------------------------------


def export_page(notebook: Any, templates: Path, *, lang: str, title: str) -> str:
    """Turn an executed notebook into a page with the project's own nbconvert template."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="kenpo", extra_template_basedirs=[str(templates)])
    exporter.register_filter("render_output", render_output)
    exporter.environment.globals.update(_page_variables(lang, title))
    page, _ = exporter.from_notebook_node(notebook)
    return page


def render_output(output: Any) -> str:
    """The sanitised HTML of one notebook output.

    Raises:
        ReportFailedError: Anything but HTML: a stray print or an error must not vanish silently from a report.
    """
    from kenpo_lib.page import sanitise

    data = output.get("data", {})
    if output["output_type"] not in ("display_data", "execute_result") or "text/html" not in data:
        kind = output.get("name") or output["output_type"]
        raise ReportFailedError(
            say(f"ノートブックに想定外の出力があります: {kind}", f"unexpected notebook output: {kind}")
        )
    return sanitise("".join(data["text/html"]))


def _page_variables(lang: str, title: str) -> dict[str, str]:
    from kenpo_lib.charts import CHART_CSS
    from kenpo_lib.page import CONTENT_SECURITY_POLICY

    footer = Text(
        "協会けんぽの公表資料に基づく比較。スクリプトも外部への通信も含みません。",
        "Comparison from published documents of the association. No script, no request to anywhere.",
    )
    return {
        "lang": lang,
        "title": title,
        "footer": footer(lang),
        "chart_css": CHART_CSS,
        "content_security_policy": CONTENT_SECURITY_POLICY,
    }


def _title(job: Job) -> str:
    year = format_fiscal_year(job.fiscal_year, lang=job.lang)
    return f"kenpo {job.branch_code} {year}"


# --- manifest and index ---------------------------------------------------------------------------------------------


def write_manifest(outcomes: Sequence[Outcome], paths: Paths, *, fiscal_year: int) -> None:
    """Record what was made from what. Reports of earlier runs in the same folder stay recorded while their file is there."""
    path = paths.reports / str(fiscal_year) / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        former = json.loads(path.read_text(encoding="utf-8"))["reports"]
    except (OSError, ValueError, KeyError):
        former = {}
    reports = {name: entry for name, entry in former.items() if (path.parent / name).is_file()}
    inputs = {
        str(Path(folder.name) / file.name): sha256_of(file)
        for folder, pattern in ((paths.curated, "*.json"), (paths.notebooks, "*.ipynb"))
        for file in sorted(folder.glob(pattern))
    }
    for outcome in outcomes:
        entry = {key: value for key, value in asdict(outcome).items() if key != "file"}
        if outcome.ok or outcome.file not in reports:
            reports[outcome.file] = entry | ({"inputs": inputs} if outcome.ok else {})
        else:  # the previous good file stays; the failure is recorded beside it
            reports[outcome.file] |= {"last_failure": outcome.reason}
    content = {"fiscal_year": fiscal_year, "reports": dict(sorted(reports.items()))}
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def index_name(lang: str) -> str:
    """The file name of the index in a language."""
    return "index.html" if lang == "ja" else f"index_{lang}.html"


def write_index(paths: Paths, catalogue: Catalogue, *, lang: str) -> None:
    """``reports/index.html`` (English: ``index_en.html``): every report of every year, from the manifests alone; failed ones too."""
    from jinja2 import Environment, FileSystemLoader

    from kenpo_lib.page import check_page, sanitise

    manifests = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(paths.reports.glob("[0-9]*/manifest.json"), reverse=True)
    ]
    title = Text("KPI比較レポート一覧", "KPI reports")(lang)
    body = sanitise(_index_body(manifests, catalogue, lang=lang, title=title))
    environment = Environment(loader=FileSystemLoader(paths.templates / "kenpo"), autoescape=False)
    page = environment.get_template("listing.html.j2").render(body=body, **_page_variables(lang, title))
    problems = check_page(page)
    assert not problems, problems
    write_atomically(paths.reports / index_name(lang), page.encode("utf-8"))


def _index_body(manifests: list[dict[str, Any]], catalogue: Catalogue, *, lang: str, title: str) -> str:
    from kenpo_lib.tables import Html, heading, table

    headings = [
        word(lang)
        for word in (
            Text("支部", "Branch"),
            Text("地域", "Block"),
            Text("レポート", "Report"),
            Text("大きさ", "Size"),
            Text("状態", "State"),
        )
    ]
    parts = [Html("<header>{}</header>").format(heading(1, title))]
    for manifest in manifests:
        year = manifest["fiscal_year"]
        rows = []
        entries = [(file, entry) for file, entry in manifest["reports"].items() if entry["lang"] == lang]
        if not entries:
            continue
        for file, entry in sorted(entries, key=lambda item: item[1]["branch_code"]):
            branch = catalogue.branches[entry["branch_code"]]
            state = Text("完成", "complete")(lang)
            link = Html('<a href="{}/{}">{}</a>').format(year, file, file) if entry["ok"] else file
            if not entry["ok"]:
                state = Text(f"失敗: {entry['reason']}", f"failed: {entry['reason']}")(lang)
            elif entry.get("last_failure"):
                reason = entry["last_failure"]
                state = Text(f"前回のもの（更新に失敗: {reason}）", f"previous one (renewal failed: {reason})")(lang)
            size = f"{entry['bytes'] / 1000:.0f} kB" if entry["bytes"] else "–"
            rows.append([f"{entry['branch_code']} {branch.name(lang)}", branch.block(lang), link, size, state])
        caption = format_fiscal_year(year, lang=lang, western=True)
        parts.append(Html("<section>{}{}</section>").format(heading(2, caption), table(caption, headings, rows)))
    return "".join(parts)
