"""A second, naive implementation of every comparison, to hold against ``kenpo_lib.compare``.

Loops, dicts and decimals only; written from the design (sections 5, 7 and 8), not from the code it checks, and slow on
purpose. Numbers are ``Decimal`` here, so an agreement is not two equal floating-point slips.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

NATION = "00"
BRANCHES = [f"{code:02d}" for code in range(1, 48)]
TOTAL_UNITS = {"count", "persons", "offices", "times"}
AGES_40_TO_74 = ["40-44", "45-49", "50-54", "55-59", "60-64", "65-69", "70+"]
Cell = tuple[str, str, str, int]  # branch_code, kpi_id, definition, fiscal_year


def exact(number: float | None) -> Decimal | None:
    """The decimal that is printed when the float is."""
    return None if number is None else Decimal(repr(float(number)))


def rounded(number: Decimal | None, decimals: int) -> Decimal | None:
    """Half up, away from zero, as published tables round."""
    return None if number is None else number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def list_rows(tables: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return tables[name].to_dicts()


def compare(tables: dict[str, Any], catalogue: Any) -> dict[Cell, dict[str, Any]]:
    """Everything that is said about every branch × KPI × definition × year for which anything is known."""
    observations = [row for row in list_rows(tables, "observations") if row["component"] == "total"]
    order = {row["source_id"]: (row["order_date"], row["source_id"]) for row in list_rows(tables, "sources")}
    targets = {cell_of(row): row for row in list_rows(tables, "targets")}
    finals = find_finals(observations, order)
    open_values = find_open_values(observations, order)
    weights = sum_weights(list_rows(tables, "statistics"))
    cells = {cell_of(row) for row in observations} | set(targets)
    answers: dict[Cell, dict[str, Any]] = {}
    for cell in cells:
        kpi = catalogue.kpis[cell[1]]
        final = finals.get(cell)
        answer: dict[str, Any] = {
            "value": exact(final["value"]) if final else None,
            "numerator": exact(final["numerator"]) if final else None,
            "denominator": exact(final["denominator"]) if final else None,
        }
        answer |= say_status(final, open_values.get(cell))
        answer |= compare_with_nation(cell, kpi, finals, weights)
        answer |= compare_with_prior(cell, kpi, finals)
        answer |= rank(cell, kpi, finals)
        answer |= judge(cell, kpi, finals, targets.get(cell), answer["status"])
        answer |= measure_distances(cell, kpi, finals, answer)
        answers[cell] = answer
    return answers


def cell_of(row: dict[str, Any]) -> Cell:
    return row["branch_code"], row["kpi_id"], row["definition"], row["fiscal_year"]


# --- what is known --------------------------------------------------------------------------------------------------


def find_finals(observations: list[dict[str, Any]], order: dict[str, tuple]) -> dict[Cell, dict[str, Any]]:
    """The whole-year value of each cell; of several sources, the newest."""
    candidates: dict[Cell, list[dict[str, Any]]] = {}
    for row in observations:
        if row["period"] == "FY" and row["status"] == "final" and row["value"] is not None:
            candidates.setdefault(cell_of(row), []).append(row)
    finals: dict[Cell, dict[str, Any]] = {}
    for cell, rows in candidates.items():
        rows.sort(key=lambda row: order[row["source_id"]], reverse=True)
        finals[cell] = rows[0] | find_counts(rows)
    return finals


def find_counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts behind the newest value: of the newest source with that value that has both, never mixed from two."""
    same = [row for row in rows if row["value"] == rows[0]["value"]]
    for row in same:
        if row["numerator"] is not None and row["denominator"] is not None:
            return {"numerator": row["numerator"], "denominator": row["denominator"]}
    return {"numerator": rows[0]["numerator"], "denominator": rows[0]["denominator"]}


def find_open_values(observations: list[dict[str, Any]], order: dict[str, tuple]) -> dict[Cell, dict[str, Any]]:
    """Per cell: whether something is announced, and the latest value part-way through the year."""
    found: dict[Cell, dict[str, Any]] = {}
    for row in observations:
        entry = found.setdefault(cell_of(row), {"pending": False, "interim": None})
        if row["status"] == "pending":
            entry["pending"] = True
        if row["status"] == "interim" and row["value"] is not None:
            # of one day, the figure since April says more than that of its last month
            age = (str(row["as_of"] or ""), row["period"] == "YTD", order[row["source_id"]])
            if entry["interim"] is None or age > entry["interim"][0]:
                entry["interim"] = (age, exact(row["value"]))
    return found


def say_status(final: dict[str, Any] | None, open_value: dict[str, Any] | None) -> dict[str, Any]:
    interim = open_value["interim"][1] if open_value and open_value["interim"] else None
    if final:
        status = "final"
    elif interim is not None:
        status = "interim"
    elif open_value and open_value["pending"]:
        status = "pending"
    else:
        status = "missing"
    return {"status": status, "interim_value": interim}


# --- nation and prior year ------------------------------------------------------------------------------------------


def sum_weights(statistics: list[dict[str, Any]]) -> dict[tuple[str, str, int], Decimal]:
    """The proxies by (name, branch, year): subscribers aged 40–74 over the seven age bands, and total remuneration."""
    weights: dict[tuple[str, str, int], Decimal] = {}
    bands: dict[tuple[str, int], int] = {}
    for row in statistics:
        branch, year = row["branch_code"], row["fiscal_year"]
        if row["statistic"] == "subscribers" and row["component"] in AGES_40_TO_74:
            key = ("subscribers_40_74", branch, year)
            weights[key] = weights.get(key, Decimal(0)) + exact(row["value"])
            bands[branch, year] = bands.get((branch, year), 0) + 1
        if row["statistic"] == "total_remuneration" and row["component"] == "total":
            weights["total_remuneration", branch, year] = exact(row["value"])
    for (branch, year), count in bands.items():
        if count != len(AGES_40_TO_74):
            del weights["subscribers_40_74", branch, year]
    return weights


def find_nation(cell: Cell, kpi: Any, finals: dict, weights: dict) -> tuple[Decimal | None, str | None]:
    """The national figure and its kind, in the design's order."""
    _, kpi_id, definition, year = cell
    published = finals.get((NATION, kpi_id, definition, year))
    if published:
        return exact(published["value"]), "published"
    if kpi.unit in TOTAL_UNITS:
        return None, None
    rows = [finals.get((branch, kpi_id, definition, year)) for branch in BRANCHES]
    if any(row is None for row in rows):
        return None, None
    if kpi.unit == "percent" and all(row["numerator"] is not None and row["denominator"] for row in rows):
        numerator = sum(exact(row["numerator"]) for row in rows)
        denominator = sum(exact(row["denominator"]) for row in rows)
        return 100 * numerator / denominator, "summed"
    shares = [weights.get((kpi.national_proxy, branch, year)) for branch in BRANCHES]
    if kpi.national_proxy and all(share is not None for share in shares):
        total = sum(share * exact(row["value"]) for share, row in zip(shares, rows, strict=True))
        return total / sum(shares), "weighted"
    return sum(exact(row["value"]) for row in rows) / len(rows), "mean"


def judge_difference(value: Decimal, reference: Decimal, kpi: Any) -> tuple[Decimal | None, str | None]:
    """The difference in points (or % for amounts and counts) at published precision, and what it means."""
    value, reference = rounded(value, kpi.decimals), rounded(reference, kpi.decimals)
    difference = value - reference
    if kpi.unit not in ("percent", "days"):
        if reference == 0:
            return None, None  # there is no percentage of nothing
        difference = 100 * difference / reference
    if value == reference:
        return difference, "same"
    if kpi.direction == "neither":
        return difference, "higher" if value > reference else "lower"
    is_better = (value > reference) == (kpi.direction == "higher_is_better")
    return difference, "better" if is_better else "worse"


def compare_with_nation(cell: Cell, kpi: Any, finals: dict, weights: dict) -> dict[str, Any]:
    national, kind = find_nation(cell, kpi, finals, weights)
    answer = {"national": national, "national_kind": kind, "national_difference": None, "national_judgement": None}
    final = finals.get(cell)
    if final and national is not None and kpi.unit not in TOTAL_UNITS:
        difference, judgement = judge_difference(exact(final["value"]), national, kpi)
        answer |= {"national_difference": difference, "national_judgement": judgement}
    return answer


def compare_with_prior(cell: Cell, kpi: Any, finals: dict) -> dict[str, Any]:
    branch, kpi_id, definition, year = cell
    prior = finals.get((branch, kpi_id, definition, year - 1))
    answer: dict[str, Any] = {
        "prior_value": exact(prior["value"]) if prior else None,
        "prior_reason": None,
        "prior_difference": None,
        "prior_judgement": None,
    }
    if prior is None:
        others = [name for name in kpi.definitions if name != definition]
        changed = any((branch, kpi_id, other, year - 1) in finals for other in others)
        answer["prior_reason"] = "definition_changed" if changed else "no_prior_value"
    if prior and cell in finals:
        difference, judgement = judge_difference(exact(finals[cell]["value"]), exact(prior["value"]), kpi)
        answer |= {"prior_difference": difference, "prior_judgement": judgement}
    return answer


# --- rank and deviation score ---------------------------------------------------------------------------------------


def rank(cell: Cell, kpi: Any, finals: dict) -> dict[str, Any]:
    """Competition rank among the branches with a value, and 50 + 10 (x − mean) / SD where all 47 have one."""
    _, kpi_id, definition, year = cell
    answer: dict[str, Any] = {
        "ranked_count": None,
        "rank": None,
        "deviation_score": None,
        "next_rank_value": None,
        "next_rank_codes": None,
    }
    if cell not in finals or cell[0] == NATION or kpi.unit in TOTAL_UNITS:
        return answer  # a count that grows with the size of a branch says nothing about its efforts
    values = {}
    for branch in BRANCHES:
        final = finals.get((branch, kpi_id, definition, year))
        if final:
            values[branch] = rounded(exact(final["value"]), kpi.decimals)
    if len(values) == 1:
        return answer  # first of one
    own = values[cell[0]]
    if kpi.direction == "lower_is_better":
        better = {branch: value for branch, value in values.items() if value < own}
    else:
        better = {branch: value for branch, value in values.items() if value > own}
    answer["ranked_count"] = len(values)
    answer["rank"] = len(better) + 1
    if better:
        nearest = max(better.values()) if kpi.direction == "lower_is_better" else min(better.values())
        answer["next_rank_value"] = nearest
        answer["next_rank_codes"] = [branch for branch in BRANCHES if better.get(branch) == nearest]
    if len(values) == len(BRANCHES):
        mean = sum(values.values()) / len(values)
        variance = sum((value - mean) ** 2 for value in values.values()) / len(values)
        if variance > 0:
            answer["deviation_score"] = 50 + 10 * (own - mean) / variance.sqrt()
    return answer


# --- targets --------------------------------------------------------------------------------------------------------


def find_threshold(target: dict[str, Any], prior: Decimal | None) -> Decimal | None:
    """The number to reach under the rule; null where the rule needs a prior-year value that is missing."""
    if target["rule"] in ("at_least", "at_most"):
        return exact(target["value"])
    if prior is None:
        return None
    if target["rule"] == "floor_or_prior" and prior < exact(target["floor"]):
        return exact(target["floor"])
    return prior


def judge(cell: Cell, kpi: Any, finals: dict, target: dict[str, Any] | None, status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"target_result": None, "target_reason": None, "target_threshold": None}
    if target is None:
        return answer
    answer["target_wants_less"] = target["rule"] in ("at_most", "at_most_prior")
    branch, kpi_id, definition, year = cell
    before = finals.get((branch, kpi_id, definition, year - 1))
    prior = rounded(exact(before["value"]), kpi.decimals) if before else None
    threshold = find_threshold(target, prior)
    answer["target_threshold"] = threshold
    if cell not in finals:
        reasons = {"interim": "only_interim", "pending": "pending", "missing": "no_value"}
        return answer | {"target_result": "cannot_tell", "target_reason": reasons[status]}
    value = rounded(exact(finals[cell]["value"]), kpi.decimals)
    if target["rule"] == "floor_or_prior" and value < exact(target["floor"]):
        # whatever last year was, a value below the floor meets neither half of the rule
        return answer | {"target_result": "not_met", "target_threshold": threshold or exact(target["floor"])}
    if threshold is None:
        return answer | {"target_result": "cannot_tell", "target_reason": "no_prior"}
    is_met = value <= threshold if answer["target_wants_less"] else value >= threshold
    return answer | {"target_result": "met" if is_met else "not_met"}


# --- distances, in points and in people -----------------------------------------------------------------------------


def measure_distances(cell: Cell, kpi: Any, finals: dict, answer: dict[str, Any]) -> dict[str, Any]:
    """How far it is to the target, to the nation and to the next rank; 0 where it is reached."""
    distances: dict[str, Any] = {}
    for name in ("target", "national", "next_rank"):
        distances[f"{name}_distance"] = distances[f"{name}_people"] = None
    final = finals.get(cell)
    if final is None:
        return distances
    goals = {}
    if answer["target_threshold"] is not None and answer["target_result"] != "cannot_tell":
        goals["target"] = answer["target_threshold"]
    if kpi.direction != "neither":
        if answer["national"] is not None and kpi.unit not in TOTAL_UNITS:
            goals["national"] = rounded(answer["national"], kpi.decimals)
        if answer["next_rank_value"] is not None:
            goals["next_rank"] = answer["next_rank_value"]
    for name, goal in goals.items():
        wants_less = kpi.direction == "lower_is_better"
        if name == "target":
            wants_less = answer["target_wants_less"]
        value = rounded(exact(final["value"]), kpi.decimals)
        gap = value - goal if wants_less else goal - value
        distances[f"{name}_distance"] = max(gap, Decimal(0))
        distances[f"{name}_people"] = count_people(final, kpi, goal, wants_less, is_reached=gap <= 0)
    return distances


def count_people(final: dict[str, Any], kpi: Any, goal: Decimal, wants_less: bool, *, is_reached: bool) -> int | None:
    """The fewest further (or fewer) people with which the rate, as it would be published, reaches the goal.

    Null where the counts cannot say so: not people, more than everybody, or counts that reach the goal while the printed
    value does not (a source that cuts off 99.997 to 99.99).
    """
    if not kpi.proportion or final["numerator"] is None or not final["denominator"]:
        return None
    count, base = exact(final["numerator"]), exact(final["denominator"])
    if not 0 <= count <= base:
        return None
    if is_reached:
        return 0
    room = int(count if wants_less else base - count)
    for people in range(room + 1):
        rate = rounded(100 * (count - people if wants_less else count + people) / base, kpi.decimals)
        if (rate <= goal) if wants_less else (rate >= goal):
            return people or None
    return None
