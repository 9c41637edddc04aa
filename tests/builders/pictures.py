"""``PYTHONPATH=tests python -m builders.pictures``: the pictures of pages in the documentation, taken anew."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from builders.browser import a_browser, opened
from builders.complete import under_an_authority
from builders.evidence import a_story_under_an_authority, pem
from builders.served import a_served_hub

from clients.evidence import packed

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> None:
    authority, story = a_story_under_an_authority()
    evidence = under_an_authority(authority, story)
    with TemporaryDirectory() as folder, a_served_hub(Path(folder)) as served, a_browser() as browser:
        context = browser.new_context(viewport={"width": 760, "height": 1850}, locale="vi")
        page = opened(context, served.base_url)
        page.trust(evidence.keys.octets, pem(authority.root.certificate))
        page.choose(packed(evidence))
        page.verdict("ĐẠT")
        page.page.locator("details").nth(2).evaluate("(each) => { each.open = true; }")
        page.page.screenshot(path=PICTURES / "verify.png")


if __name__ == "__main__":
    main()
