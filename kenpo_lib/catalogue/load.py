"""The folder of definitions → ``Catalogue``, with the faults of all its files told together."""

from __future__ import annotations

import csv
import functools
import os
from pathlib import Path

from kenpo_lib.catalogue.entries import NATION, Branch, Catalogue, Kpi
from kenpo_lib.catalogue.kpi_entry import parse_kpi
from kenpo_lib.errors import Fault, InputError
from kenpo_lib.files import digest_files
from kenpo_lib.language import Text, say
from kenpo_lib.strict_yaml import read_yaml

DEFINITIONS_DIR = Path(os.environ.get("KENPO_DEFINITIONS") or Path(__file__).parents[1] / "definitions")
_BRANCH_COLUMNS = (
    *("branch_code", "name_ja", "name_kana", "name_en", "prefecture_ja", "block", "block_en"),
    *("tile_row", "tile_col", "aliases"),
)


def read_branches(path: Path) -> dict[str, Branch]:
    """The branch master by code: the nation and then the branches, in the order of their codes, each once."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != _BRANCH_COLUMNS:
            raise InputError(f"{path.name}: {reader.fieldnames} != {_BRANCH_COLUMNS}")
        branches = [_parse_branch(row) for row in reader]
    codes = [branch.branch_code for branch in branches]
    if codes != sorted(set(codes)) or codes[:1] != [NATION]:
        raise InputError(
            say(
                f"{path.name}: 支部コードは {NATION} から昇順に、重なりなく並べてください。",
                f"{path.name}: the branch codes must begin with {NATION} and ascend, each once.",
            )
        )
    return dict(zip(codes, branches, strict=True))


def _parse_branch(row: dict[str, str]) -> Branch:
    return Branch(
        branch_code=row["branch_code"],
        name=Text(row["name_ja"], row["name_en"]),
        kana=row["name_kana"],
        prefecture=row["prefecture_ja"],
        block=Text(row["block"], row["block_en"]),
        tile_row=int(row["tile_row"]) if row["tile_row"] else None,
        tile_col=int(row["tile_col"]) if row["tile_col"] else None,
        aliases=tuple(alias for alias in row["aliases"].split(";") if alias),
    )


def load_catalogue(directory: Path = DEFINITIONS_DIR) -> Catalogue:
    """Read all definitions under ``directory``.

    Raises:
        InputError: All faults of all files together.
    """
    return _load_catalogue(directory)


def digest_definitions(directory: Path = DEFINITIONS_DIR) -> str:
    """One sha256 of all definition files, names and contents."""
    files = (path for path in directory.rglob("*") if path.suffix in (".yaml", ".csv"))
    return digest_files(files, root=directory)


@functools.lru_cache(maxsize=4)
def _load_catalogue(directory: Path) -> Catalogue:
    caveats = {key: Text(raw["ja"], raw["en"]) for key, raw in read_yaml(directory / "caveats.yaml").items()}
    entries = [(path.stem, read_yaml(path), path.name, None) for path in sorted((directory / "kpis").glob("*.yaml"))]
    for path in sorted((directory / "branch_kpis").glob("*.yaml")):
        entries += [(kpi_id, raw, path.name, path.stem) for kpi_id, raw in read_yaml(path).items()]
    faults: list[Fault] = []
    kpis: dict[str, Kpi] = {}
    for kpi_id, raw, where, branch_code in entries:
        try:
            kpis[kpi_id] = parse_kpi(kpi_id, raw, where=where, caveats=caveats, branch_code=branch_code)
        except InputError as error:
            faults += error.faults
    for kpi in kpis.values():
        faults += [
            Fault(
                f"{kpi.kpi_id}.yaml",
                "resembles",
                "a kpi_id of the catalogue",
                repr(other),
                say("IDを直す", "correct the id"),
            )
            for other, _ in kpi.resembles
            if other not in kpis
        ]
    if faults:
        raise InputError(say("KPIカタログに誤りがあります。", "The KPI catalogue is wrong."), faults)
    ordered = dict(sorted(kpis.items(), key=lambda item: (item[1].order, item[0])))
    return Catalogue(kpis=ordered, branches=read_branches(directory / "branches.csv"), caveats=caveats)
