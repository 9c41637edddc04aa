"""Pages for people, at ``/console``: plain HTML, CSS and ECMAScript modules, as they lie in ``static``.

``verify`` does in the browser what ``agency verify`` does (docs/evidence.md). What a page needs of the program, the
texts of refusals, is served as a module beside them.
"""

from hub.console.site import install

__all__ = ["install"]
