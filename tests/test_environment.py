"""One environment in three files, in step; and nothing in the repository that only one machine has."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib

import builders
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = builders.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

# conda-forge's name where it differs from the name on PyPI; there `playwright` is the Node program.
CONDA_NAMES = {"jupyter-client": "jupyter_client", "playwright": "playwright-python"}
# What is imported under another name than it is installed under.
IMPORT_NAMES = {"bs4": "beautifulsoup4", "yaml": "pyyaml", "vl_convert": "vl-convert-python"}

DECLARED = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
OPTIONAL = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["dask"]]
FOR_TESTS = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["test"]]


def read_lock():
    """The locked packages: name → (versions, number of hashes)."""
    locked: dict[str, tuple[list[Version], int]] = {}
    for entry in LOCK.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        requirement, *hashes = entry.split("--hash=")
        parsed = Requirement(requirement.strip())
        (specifier,) = parsed.specifier
        assert specifier.operator == "==", entry
        versions, _ = locked.get(canonicalize_name(parsed.name), ([], 0))
        locked[canonicalize_name(parsed.name)] = ([*versions, Version(specifier.version)], len(hashes))
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest.strip()) for digest in hashes), parsed.name
    return locked


# --- the three files ------------------------------------------------------------------------------------------------


def test_conda_environment_has_the_packages_and_bounds_of_pyproject():
    # given the packages that pyproject.toml asks for, under their conda names
    wanted = {
        CONDA_NAMES.get(canonicalize_name(r.name), canonicalize_name(r.name)): r.specifier for r in DECLARED + FOR_TESTS
    }
    wanted |= {
        canonicalize_name(Requirement(r).name): Requirement(r).specifier for r in PROJECT["build-system"]["requires"]
    }
    # when
    from_pypi = [text for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict) for text in entry["pip"]]
    from_conda = [text for text in ENVIRONMENT["dependencies"] if isinstance(text, str)]
    given = {}
    for text in [*from_conda, *from_pypi]:
        if text not in ("pip", "python=3.11"):
            given[Requirement(text).name] = Requirement(text).specifier
    # then
    assert given == wanted


def test_conda_environment_takes_nothing_from_elsewhere():
    # given the conda environment
    # when, then it has one name, one channel and no default ones, and the oldest Python that the project allows
    assert ENVIRONMENT["name"] == "kenpo"
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]
    assert "python=3.11" in ENVIRONMENT["dependencies"]
    assert PROJECT["project"]["requires-python"] == ">=3.11"


@pytest.mark.parametrize("requirement", DECLARED + FOR_TESTS, ids=str)
def test_lock_holds_a_version_within_the_bounds(requirement):
    # given one package of pyproject.toml
    # when
    versions, _ = read_lock()[canonicalize_name(requirement.name)]
    # then
    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


def test_lock_has_hashes_for_every_package():
    # given the lock
    # when
    without = [name for name, (_, hashes) in read_lock().items() if hashes == 0]
    # then pip can refuse whatever is not the locked file
    assert len(read_lock()) > 100
    assert without == []


def test_lock_names_no_index_and_no_place():
    # given the lock
    # when
    options = re.findall(r"^\s*(?:--(?!hash)\S+|-[a-z]\b.*|.*\s@\s.*|.*://.*)", LOCK, flags=re.MULTILINE)
    # then each organisation takes the packages from where it takes packages
    assert options == []


def test_declared_packages_are_those_that_are_imported():
    # given every import in the package and in the notebooks' helpers
    imported = set()
    for path in (ROOT / "kenpo_lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    foreign = {name for name in imported if name not in sys.stdlib_module_names and name != "kenpo_lib"}
    # when
    needed = {canonicalize_name(IMPORT_NAMES.get(name, name)) for name in foreign}
    # then none is there only because another package happens to need it
    declared = {canonicalize_name(requirement.name) for requirement in DECLARED + OPTIONAL}
    assert needed - declared == set()


# --- what is in the repository --------------------------------------------------------------------------------------


def list_files():
    """The files under version control, and new ones that are not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed if name and (path := ROOT / name).is_file()]


def test_figures_keep_their_bytes_where_git_changes_line_ends(tmp_path):
    """Git for Windows writes CRLF into every text unless told otherwise, and no digest in data/raw/SHA256SUMS would be right."""
    # given a repository of what the digests are taken of
    origin = tmp_path / "origin"
    origin.mkdir()
    for name in (".gitattributes", "data/raw", "notebooks", "kenpo_lib/definitions"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, origin / name)
    who = ("-c", "user.name=x", "-c", "user.email=x@example.jp")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "x")):
        subprocess.run(["git", "-C", str(origin), *command], check=True)
    # when
    clone = ["git", "clone", "--quiet", "--config", "core.autocrlf=true", str(origin), str(tmp_path / "clone")]
    subprocess.run(clone, check=True)
    # then
    names = [path.relative_to(origin) for path in origin.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(names) > 50
    assert [name for name in names if (tmp_path / "clone" / name).read_bytes() != (ROOT / name).read_bytes()] == []


def search(pattern, paths):
    """Every match with its file; files that are no text are passed over."""
    found = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in re.finditer(pattern, text)]
    return found


# Written so that they do not match themselves.
MACHINE_PATHS = (
    r"(?<![\w.:/])/(?:wor[k]|hom[e]|roo[t]|User[s]|mn[t]|priv[a]te)/\w+|\b[A-Z]:[\\/](?:Users|Temp)\b|/var/folde[r]s"
)
PRIVATE_HOSTS = (
    r"\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b"
    r"|://[\w.-]+\.(?:internal|local|lan|corp|intra|svc)\b|(?i:artifac[t]ory|nexus\.[a-z])"
)
INDEX_OPTIONS = r"--(?:extra-)?index[-]url|--trusted[-]host|--find[-]links|\b(?:PIP|UV)_[A-Z_]*INDEX[_A-Z]*\s*="


@pytest.mark.parametrize(
    "pattern", [MACHINE_PATHS, PRIVATE_HOSTS, INDEX_OPTIONS], ids=["machine paths", "private hosts", "package indexes"]
)
def test_repository_names_no_machine(pattern):
    # given every file under version control
    paths = list_files()
    # when
    found = search(pattern, paths)
    # then what works here works elsewhere
    assert len(paths) > 100
    assert found == []


def test_package_names_no_host_but_the_identifiers_of_standards():
    # given the code, its templates and the settings, without the definitions (whose sources are public documents)
    folders = [
        path for path in list_files() if path.relative_to(ROOT).parts[0] in ("kenpo_lib", "tools", "Makefile", ".ci")
    ]
    code = [path for path in folders if path.suffix not in (".ttf", ".txt") and "definitions" not in path.parts]
    identifiers = {"www.w3.org", "schemas.microsoft.com"}  # names of XML vocabularies; nothing is fetched from them
    # when
    hosts = {found.rsplit("//", 1)[-1] for found in search(r"https?://[\w.-]+\w", code)}
    # then
    assert hosts - identifiers - {"127.0.0.1", "localhost"} == set()


def test_repository_holds_no_pickle_and_no_build_products():
    # given every file under version control
    names = [path.relative_to(ROOT).as_posix() for path in list_files()]
    # when
    unwanted = [name for name in names if re.search(r"\.(?:pkl|pickle|pyc|parquet|whl|egg-info)\b|__pycache__", name)]
    # then what is made from the raw figures is made, not kept
    assert unwanted == []


def test_search_finds_what_it_should(tmp_path, monkeypatch):
    # given a file with one of each
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    lines = ["/ho" + "me/someone/x", "C:" + "\\Users\\someone", "http://pypi." + "internal/simple", "192." + "168.0.1"]
    (tmp_path / "file.txt").write_text("\n".join([*lines, "--index" + "-url x", "see data/raw/home/ and /workshop"]))
    # when
    found = [search(pattern, [tmp_path / "file.txt"]) for pattern in (MACHINE_PATHS, PRIVATE_HOSTS, INDEX_OPTIONS)]
    # then
    assert [len(matches) for matches in found] == [2, 2, 1]
