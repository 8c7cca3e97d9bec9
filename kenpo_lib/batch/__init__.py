"""The batch: one process and folder a page, caps on what it may use, checked pages put in place atomically, all of it recorded.

``run`` is the way in. Data run down this list and imports up it: ``job`` what is to be made · ``work`` what goes between processes ·
``guard``, ``engine``, ``explain``, ``cells`` the process that runs a notebook · ``template``, ``page_writer`` the process that draws and
writes pages · ``interrupt``, ``pool`` keep those processes · ``paths``, ``digests``, ``record`` what was made from what · ``plan`` what
has to be made · ``cluster`` has other machines do it · ``listing``, ``error_page``, ``index`` pages that no notebook makes · ``lock``,
``progress``, ``run`` · ``record_check``, ``verify`` whether pages still are what was made.
"""
