"""A papermill engine that runs the cells in this very process, with IPython and without a kernel.

Starting a kernel, talking to it and shutting it down costs more than most notebooks here. papermill stays as it is: it reads the
notebook, injects the parameters, keeps the record of each cell and raises for errors. The process is meant to run one notebook.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import nbformat
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from traitlets import Type
from traitlets.config import Config

ENGINE_NAME = "kenpo"


class OutputTooLargeError(Exception):
    """The outputs of the notebook take more than they may."""


class _Outputs:
    """The outputs of the cell that runs, in the form of the notebook format; counts what all cells together have put out."""

    def __init__(self) -> None:
        self.cell: list[NotebookNode] = []
        self.bytes = 0
        self.limit = sys.maxsize

    def begin(self) -> list[NotebookNode]:
        self.cell = []
        return self.cell

    def weigh(self, *texts: Any) -> None:
        self.bytes += sum(len(text) for text in texts if isinstance(text, str | bytes))
        if self.bytes > self.limit:
            raise OutputTooLargeError(f"more than {self.limit} bytes")

    def add(self, kind: str, **fields: Any) -> None:
        self.weigh(*fields.get("data", {}).values())
        self.cell.append(_make_output(kind, **fields))

    def write(self, name: str, text: str) -> None:
        self.weigh(text)
        if self.cell and self.cell[-1].output_type == "stream" and self.cell[-1].name == name:
            self.cell[-1].text += text
        else:
            self.cell.append(_make_output("stream", name=name, text=text))


def _make_output(kind: str, **fields: Any) -> NotebookNode:
    # nbformat's own function validates each output by itself; ``cells.execute`` validates the notebook, once.
    return nbformat.from_dict({"output_type": kind, **fields})


_outputs = _Outputs()  # one process, one notebook


class _Stream(io.TextIOBase):
    encoding = "utf-8"

    def __init__(self, name: str):
        super().__init__()
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            _outputs.write(self._name, text)
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data: dict, metadata: dict | None = None, **_: Any) -> None:
        _outputs.add("display_data", data=dict(data), metadata=dict(metadata or {}))

    def clear_output(self, wait: bool = False) -> None:
        _outputs.cell.clear()


class _Hook(DisplayHook):
    def start_displayhook(self) -> None: ...

    def write_output_prompt(self) -> None: ...

    def finish_displayhook(self) -> None: ...

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        _outputs.add(
            "execute_result",
            data=dict(format_dict),
            metadata=dict(md_dict or {}),
            execution_count=self.shell.execution_count,
        )


class CellShell(InteractiveShell):
    """IPython without a person: no profile, no history, no colours; errors become outputs."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)

    # A profile would be made, or have its rights set, in the home of whoever runs this: outside the notebook's own folder.
    def init_ipython_dir(self, ipython_dir: str | None) -> None: ...

    def init_profile_dir(self, profile_dir: Any) -> None: ...

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        _outputs.cell.append(_make_output("error", ename=etype.__name__, evalue=str(evalue), traceback=list(stb)))

    def enable_gui(self, gui: str | None = None) -> None: ...


def make_shell() -> CellShell:
    """The shell of this process."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"  # its default lies in a profile
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"
    return CellShell.instance(config=config)


class InProcessEngine(Engine):
    """Runs each cell as JupyterLab would, and stops at the first error."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        on_cell: Callable[[int], None] = lambda index: None,
        output_bytes: int = sys.maxsize,
        **_: Any,
    ) -> None:
        """Run the cells.

        Args:
            nb_man: papermill's record of the run.
            kernel_name: Not used; there is no kernel.
            on_cell: Told the index of each cell before it runs.
            output_bytes: More output than this ends the run with ``OutputTooLargeError``.
        """
        shell = make_shell()
        _outputs.limit = output_bytes
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream("stdout"), _Stream("stderr")
        try:
            for index, cell in enumerate(nb_man.nb.cells):
                on_cell(index)
                nb_man.cell_start(cell, index)
                try:
                    if cell.cell_type == "code" and cell.source.strip() and not _run(shell, cell):
                        nb_man.cell_exception(cell, cell_index=index)
                        break
                finally:
                    nb_man.cell_complete(cell, cell_index=index)
        finally:
            sys.stdout, sys.stderr = streams


def _run(shell: CellShell, cell: NotebookNode) -> bool:
    """Run one code cell into its outputs; False if it raised."""
    outputs = _outputs.begin()
    cell.execution_count = shell.execution_count
    result = shell.run_cell(cell.source, store_history=True)
    cell.outputs = outputs
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, OutputTooLargeError):
        raise error
    return error is None


def register() -> None:
    """Make the engine known to papermill as ``kenpo``."""
    papermill_engines.register(ENGINE_NAME, InProcessEngine)
