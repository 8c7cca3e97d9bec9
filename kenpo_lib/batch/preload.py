"""What the fork server has behind it when it forks: everything imported that a notebook or a page needs, and a shell set up.

Nothing here may start a thread, since none survives a fork: no frame is computed and no chart drawn.
"""

from __future__ import annotations

import gc

import kenpo_lib.batch.cells
import kenpo_lib.batch.page_writer  # noqa: F401
from kenpo_lib.batch.engine import make_shell
from kenpo_lib.charts.frame import parse_shorthand
from kenpo_lib.store.key import take_software_key

make_shell()
take_software_key()  # what this process has loaded its children have
for shorthand in ("x:Q", "x:N"):
    parse_shorthand(shorthand)  # Altair compiles some dozen patterns at the first
gc.collect()
gc.freeze()  # a collection in a child would write into all that it shares with the others, and copy it
