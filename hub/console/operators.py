"""The accounts of operators, for administrators."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.console import access, frame
from hub.console.access import Administers, Form
from hub.console.login import Door
from hub.domain.operator import Operator, Role, check_password, named, reasoned
from hub.errors import Refusal
from hub.exchange import operators as verbs
from hub.http.interface import interface
from hub.store import operators

operations = APIRouter(prefix="/console", include_in_schema=False)
frame.navigate("/console/operators", "operators.nav", 100, Role.ADMINISTRATOR)


@operations.get("/operators")
async def show(request: Request, operator: Administers, done: str = "") -> Response:
    return await _page(request, operator, done=bool(done))


@operations.post("/operators/{what}")
async def change(request: Request, operator: Administers, what: str) -> Response:
    form = await access.form(request)
    try:
        await _change(request, operator, what, form)
    except Refusal as refusal:
        if refusal.code in {"page-unknown", "role-low"}:
            raise
        return await _page(request, operator, refusal=refusal)
    return frame.to("/console/operators?done=1")


async def _change(request: Request, operator: Operator, what: str, form: Form) -> None:
    """Raises what the verbs do, ``reason-form``, ``operator-name``, ``password-weak``, ``page-unknown``."""
    write = interface(request).desk.write
    name, reason = named(form.one("name")), reasoned(form.one("reason"))
    by = operator.name
    if what == "add":
        hashed = await _hashed(request, name, form)
        await write(verbs.add, verbs.Account(by, name, _role(form), hashed, reason))
    elif what == "role":
        await write(verbs.set_role, verbs.Change(by, name, _role(form), reason=reason))
    elif what == "password":
        hashed = await _hashed(request, name, form)
        await write(verbs.set_password, verbs.Change(by, name, password=hashed, reason=reason))
    elif what == "sessions":
        await write(verbs.end_sessions, verbs.Change(by, name, reason=reason))
    elif what == "remove":
        await write(verbs.remove, verbs.Change(by, name, reason=reason))
    else:
        raise Refusal("page-unknown")


async def _hashed(request: Request, name: str, form: Form) -> str:
    password = check_password(name, form.one("password"))
    if form.one("again") != form.one("password"):
        raise Refusal("passwords-differ")
    return await frame.of_process(request, Door).passwords.hashed(password)


def _role(form: Form) -> Role:
    try:
        return Role(form.one("role"))
    except ValueError:
        raise Refusal("request-invalid") from None


async def _page(
    request: Request, operator: Operator, *, refusal: Refusal | None = None, done: bool = False
) -> Response:
    rows = await frame.read(request, operators.accounts)
    status = 200 if refusal is None else refusal.problem.status
    values = {"rows": rows, "roles": list(Role), "refusal": refusal, "done": done}
    return frame.render(request, "operators.html", operator, status, **values)
