"""Is this machine ready? Each check looks at one thing that went wrong somewhere, says what it found and what to do.

``findings`` what a check answers · ``software`` Python, packages, kernel · ``machine`` disk, memory, clock · ``project`` folders, lock,
data · ``trial`` fonts, processes and a page made on trial · ``examine`` all of them. Nothing connects to anywhere; packages are
imported inside the checks, so that one that is missing or broken fails its check and not the command.
"""
