"""What the fork server has behind it when it forks: everything imported that a notebook or a page needs, and a shell set up.

Nothing here may start a thread, since none survives a fork: no frame is computed and no chart drawn.
"""

from __future__ import annotations

import kenpo_lib.batch.cells
import kenpo_lib.batch.page_writer  # noqa: F401
from kenpo_lib.batch.engine import make_shell

make_shell()
