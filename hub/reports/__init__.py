"""Reports of a period: what each says (``definitions``), read and put together (``build``), as sheets and charts.

The page and the ``hub report`` command show the same.
"""
