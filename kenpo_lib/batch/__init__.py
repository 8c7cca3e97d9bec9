"""The batch: one process and folder a page, caps on what it may use, checked pages put in place atomically, all of it recorded.

``run`` is the way in. Data run down this list and imports up it: ``job`` what is to be made · ``work`` what goes between processes ·
``guard``, ``engine``, ``cells`` the process that runs a notebook · ``page_writer`` the process that draws and writes pages · ``pool``
keeps those processes · ``cluster`` has other machines do it · ``digests``, ``record`` what was made from what · ``folder`` lock, sweep,
publish · ``error_page``, ``index`` · ``progress`` · ``run`` · ``record_check``, ``verify`` whether pages still are what was made.
"""
