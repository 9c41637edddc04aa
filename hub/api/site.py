"""The API's own documentation: ``/docs``, from assets of an installed package, and the examples in ``/openapi.json``.

No page of it loads anything from another host, and the header sent with it forbids it to.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse, Response

from hub.api.answers import Problem
from hub.errors import Refusal

_SWAGGER = Path(str(files("fastapi_standalone_docs"))) / "static" / "swagger"
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_HEADERS = {
    # data: the icons inside the style sheet
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Addresses are relative, so that a proxy may put the hub below a folder of its own.
_PAGE = """\
<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trục liên thông văn bản: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<noscript><a href="openapi.json">openapi.json</a></noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
  showExtensions: false,
});
"""
_ABOUT = """\
**Tiếng Việt.** Gửi và nhận văn bản điện tử đã ký số giữa các cơ quan nhà nước. Thân của mỗi lần gửi là gói edXML
(QCVN 102:2016); mọi thứ quanh nó là JSON. Mỗi hệ thống có một mã truy cập do `hub enrol` cấp: bấm *Authorize* rồi dán.
Gửi lại đúng các byte cũ thì luôn an toàn. Từ chối là `application/problem+json`, nêu đủ mọi lỗi kèm cách sửa.

**English.** Send and receive signed electronic documents between agencies. What is sent is an edXML packet
(QCVN 102:2016); everything around it is JSON. Each system has a token from `hub enrol`: press *Authorize*, paste it.
Sending the same bytes again is always safe. A refusal is `application/problem+json` and names everything that is wrong,
with its repair.

Các ví dụ nối thành một câu chuyện đã chạy thật: G22 gửi, H41 nhận · The examples are one story that was run: G22 sends,
H41 receives.
"""
_TAGS = {
    "documents": "Gửi, tra cứu văn bản; báo trạng thái · Sending documents, reading them back, reporting statuses",
    "deliveries": "Nhận: danh sách, lấy gói, xác nhận · Receiving: list, fetch, confirm",
    "agencies": "Danh mục, chứng thư · Directory, certificates",
    "evidence": "Biên nhận, sổ bằng chứng · Receipts, the evidence log",
    "health": "Cho người vận hành · For operators",
}


def install(app: FastAPI) -> None:
    """The page, what it loads, and the whole description."""

    @app.get("/docs", include_in_schema=False)
    async def page() -> Response:
        return Response(_PAGE, 200, _HEADERS, "text/html; charset=utf-8")

    @app.get("/docs/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(_START, 200, _HEADERS, "text/javascript; charset=utf-8")

    @app.get("/docs/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise Refusal("not-found")
        return FileResponse(_SWAGGER / name, 200, _HEADERS, _ASSETS[name])

    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate())  # which remembers what it gave
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's own way to change its description


def _complete(description: dict[str, Any]) -> None:
    description["info"]["description"] = _ABOUT
    description["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    schemas = description["components"]["schemas"]
    problem = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    del problem["$defs"]  # each is an answer's part too
    schemas["Problem"] = problem
    for step in examples():
        method, path = step["operation"].split(" ")
        _illustrate(description["paths"][path][method.lower()], step)


def examples() -> list[dict[str, Any]]:
    """A story, step by step, as a hub has played it: ``{name, summary, operation, caller, path, query, body, status,
    media, answer}``. The tests play it again.
    """
    story: list[dict[str, Any]] = json.loads(files("hub.api").joinpath("examples.json").read_text("utf-8"))
    return story


def _illustrate(operation: dict[str, Any], step: dict[str, Any]) -> None:
    """Put a step beside what it is an example of; of a parameter there is one example, that of the first step."""
    given = step.get("path", {}) | step.get("query", {})
    for parameter in operation.get("parameters", []):
        if parameter["name"] in given:
            parameter.setdefault("example", given[parameter["name"]])
    if "body" in step:
        (content,) = operation["requestBody"]["content"].values()
        content.setdefault("examples", {})[step["name"]] = {"summary": step["summary"], "value": step["body"]}
    content = operation["responses"][str(step["status"])]["content"][step["media"]]
    content.setdefault("examples", {})[step["name"]] = {"summary": step["summary"], "value": step["answer"]}
