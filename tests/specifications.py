"""What is drawn is what was checked: Altair's specification, which the schema has checked, against the quick one."""

from __future__ import annotations

from kenpo_lib.charts.frame import Frame


def assert_drawn_as_checked(chart, checked):
    """Both say the same, but for where the rows stand: named, and above the layers if all have the same; or in each layer."""
    if not isinstance(chart, Frame):
        return
    rest = {key: value for key, value in checked.items() if key not in ("data", "datasets")}
    layers = [
        {**layer, "data": {"values": checked["datasets"][layer.get("data", checked.get("data"))["name"]]}}
        for layer in checked["layer"]
    ]
    assert chart.to_dict(validate=False) == {**rest, "layer": layers}
