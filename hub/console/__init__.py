"""Pages for people, at ``/console`` (docs/console.md): server-rendered, each room a module of its own.

``verify`` is a page by itself, which does in the browser what ``agency verify`` does (docs/evidence.md).
"""

from hub.console.frame import fault
from hub.console.rooms import install, is_its

__all__ = ["fault", "install", "is_its"]
