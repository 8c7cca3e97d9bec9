"""YAML that people edit, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kenpo_lib.errors import InputError
from kenpo_lib.language import say


# libyaml reads ten times as fast, where PyYAML was built with it.
class _StrictYaml(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which a key given twice is an error instead of the last one winning silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"key given twice: {key!r}", mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Parse a YAML file; duplicate keys and syntax errors become an InputError that names the line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictYaml)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        problem = str(error).replace("\n", " ")
        raise InputError(say(f"{path.name} を読めません: {problem}", f"Cannot read {path.name}: {problem}")) from error
