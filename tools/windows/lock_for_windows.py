"""requirements.lock without what its markers leave out on Windows: pip reads markers for the system that it runs on. Writes to stdout."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.markers import Marker

WINDOWS = {
    "os_name": "nt",
    "sys_platform": "win32",
    "platform_system": "Windows",
    "platform_machine": "AMD64",
    "python_version": "3.11",
    "python_full_version": "3.11.9",
    "implementation_name": "cpython",
    "implementation_version": "3.11.9",
    "platform_python_implementation": "CPython",
}

for entry in re.split(r"(?m)^(?=\w)", Path(sys.argv[1]).read_text(encoding="utf-8")):
    requirement, _, hashes = entry.partition("\n")
    pinned, _, marker = requirement.removesuffix("\\").partition(";")
    if pinned.strip() and (not marker or Marker(marker.strip()).evaluate(WINDOWS)):
        sys.stdout.write(f"{pinned.strip()} \\\n{hashes}")
