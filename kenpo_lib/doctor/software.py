"""Python, the packages and JupyterLab's kernel. Versions are compared here by hand: a doctor must not need what may be missing."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

from kenpo_lib.doctor.findings import Finding, Level
from kenpo_lib.language import Text

MIN_PYTHON = (3, 11)
_KERNEL = "python3"
_INSTALL = Text("make setup で requirements.lock のとおりに入れ直す", "install what requirements.lock says: make setup")
_MAX_NAMED = 5


def check_python(name: Text, *, version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """New enough."""
    shown = ".".join(map(str, version))
    words = Text(f"{platform.python_implementation()} {shown}", f"{platform.python_implementation()} {shown}")
    if version >= MIN_PYTHON:
        return Finding(Level.GOOD, name, words)
    return Finding(Level.FAULT, name, words, Text("Python 3.11 以上を使う", "use Python 3.11 or newer"))


def list_installed() -> dict[str, str]:
    """Version by canonical name of every installed package."""
    return {_canonical(entry.metadata["Name"]): entry.version for entry in distributions() if entry.metadata["Name"]}


def check_packages(name: Text, folder: Path, installed: Mapping[str, str]) -> Finding:
    """All that pyproject.toml asks for is there, within its bounds, and in the versions of requirements.lock."""
    bounds, locked = read_bounds(folder / "pyproject.toml"), read_lock(folder / "requirements.lock")
    missing = [package for package in bounds if package not in installed]
    outside = [
        f"{package} {installed[package]} ({asked})"
        for package, asked in bounds.items()
        if package in installed and not is_within(installed[package], asked)
    ]
    other = [
        f"{package} {installed[package]} ({'/'.join(sorted(versions))})"
        for package, versions in locked.items()
        if package in installed and installed[package] not in versions
    ]
    if missing or outside:
        return Finding(
            Level.FAULT,
            name,
            Text(f"ないか版が合わない: {_name(missing + outside)}", f"missing or unfit: {_name(missing + outside)}"),
            _INSTALL,
        )
    if other:
        words = Text(f"requirements.lock と版が違う: {_name(other)}", f"not as in requirements.lock: {_name(other)}")
        return Finding(Level.WARNING, name, words, _INSTALL)
    if not bounds and not locked:
        words = Text("比べる pyproject.toml も requirements.lock もない", "no pyproject.toml or lock to compare with")
        return Finding(Level.NOTE, name, words)
    count = sum(package in installed for package in locked)
    return Finding(
        Level.GOOD, name, Text(f"{count} 件が requirements.lock のとおり", f"{count} as in requirements.lock")
    )


def read_bounds(path: Path) -> dict[str, str]:
    """``{"polars": ">=2.0"}`` from the dependencies of a pyproject.toml; empty where there is none."""
    if not path.is_file():
        return {}
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    split = (re.match(r"([\w.-]+)\s*(.*)", entry) for entry in listed)
    return {_canonical(match[1]): match[2] for match in split if match}


def read_lock(path: Path) -> dict[str, set[str]]:
    """The versions by package of a lock, which may have several for several Pythons; empty where there is none."""
    found: dict[str, set[str]] = {}
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for package, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(_canonical(package), set()).add(version)
    return found


def is_within(version: str, bounds: str) -> bool:
    """Whether ``1.24.1`` is within ``>=1.24,<1.25``."""
    tests = {">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "==": lambda a, b: a == b}
    asked = re.findall(r"(>=|<|==)\s*([\d.]+)", bounds)
    return all(tests[sign](_release(version), _release(bound)) for sign, bound in asked)


def _release(version: str) -> list[int]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers


def _canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _name(packages: list[str]) -> str:
    rest = len(packages) - _MAX_NAMED
    return ", ".join(packages[:_MAX_NAMED]) + (f" +{rest}" if rest > 0 else "")


def check_kernel(name: Text) -> Finding:
    """JupyterLab's Python has this library: a kernel of that name in the user's folder may be that of another Python."""
    from ipykernel.kernelspec import KernelSpecManager

    try:
        program = KernelSpecManager().get_kernel_spec(_KERNEL).argv[0]
    except KeyError:
        words = Text(f"{_KERNEL} がない", f"there is no {_KERNEL}")
        advice = Text(
            "python -m ipykernel install --sys-prefix を実行する", "run: python -m ipykernel install --sys-prefix"
        )
        return Finding(Level.FAULT, name, words, advice)
    if program in ("python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        program = sys.executable  # as Jupyter does
    try:
        done = subprocess.run(
            [program, "-c", "import ipykernel, kenpo_lib"],
            capture_output=True,
            timeout=120,
            cwd=tempfile.gettempdir(),
            check=False,
        )
        is_good = done.returncode == 0
    except (OSError, subprocess.SubprocessError):
        is_good = False
    if is_good:
        return Finding(Level.GOOD, name, Text(f"{_KERNEL} で kenpo を使える", f"{_KERNEL} has kenpo"))
    words = Text(f"{_KERNEL} の Python に kenpo がない（{program}）", f"the Python of {_KERNEL} lacks kenpo: {program}")
    advice = Text(
        "jupyter kernelspec list で場所を見て、古いものを jupyter kernelspec remove で除く",
        "see `jupyter kernelspec list`, and remove the stale one with `jupyter kernelspec remove`",
    )
    return Finding(Level.FAULT, name, words, advice)
