"""Lets README.md and CHANGELOG.md be pages of the site, and turns links that leave docs/.

MkDocs runs it as a hook.  The Markdown in the repository is written for being read there:
README links ``docs/safety.md``, pages link ``../tests/…``.  On the site the first is
``safety.md``, and the second is named without a link, since the site has no sources.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

REPO = Path(__file__).parents[2]
LINK = re.compile(r"(?<!\!)\[([^\]]*)\]\(([^)\s]+)\)")
PAGES_ELSEWHERE = {"CHANGELOG.md": "changelog.md", "README.md": "index.md"}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not in docs/."""
    for source, page in PAGES_ELSEWHERE.items():
        text = (REPO / source).read_text("utf-8")
        files.append(File.generated(config, page, content=of_the_root(text)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn the links of one page that leave docs/."""
    return LINK.sub(_turned, markdown)


def of_the_root(text: str) -> str:
    """Markdown of the repository's root as if it stood in docs/.

    >>> of_the_root("[Safety](docs/safety.md), [changes](CHANGELOG.md), [a](https://plex.tv)")
    '[Safety](safety.md), [changes](../CHANGELOG.md), [a](https://plex.tv)'
    """
    text = re.sub(r"\]\((?!docs/|[a-z]+:|#)", "](../", text)
    return text.replace("](docs/", "](")


def _turned(link: re.Match[str]) -> str:
    words, target = link[1], link[2]
    if not target.startswith("../"):
        return link[0]
    file, _, anchor = target.removeprefix("../").partition("#")
    if file in PAGES_ELSEWHERE:
        return f"[{words}]({PAGES_ELSEWHERE[file]}{'#' + anchor if anchor else ''})"
    return words
