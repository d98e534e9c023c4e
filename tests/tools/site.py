"""Build the documentation as a site: ``site/VERSION/``, beside other versions built before.

``make site`` runs it.  The site needs no network, neither to be built nor to be read; a
link that leads nowhere ends the build.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from plexsheet import __version__

REPO = Path(__file__).parents[2]
QUIET = {"NO_MKDOCS_2_WARNING": "1"}  # a page of news about MkDocs itself
START = """\
<!doctype html><meta charset="utf-8"><title>plexsheet</title>
<meta http-equiv="refresh" content="0; url={newest}/index.html">
<a href="{newest}/index.html">plexsheet {newest}</a>
"""


def build(folder: Path, version: str = __version__) -> Path:
    """Build one version below a folder; returns its own folder.

    Raises:
        SystemExit: a link leads nowhere, or a page is not in the navigation.
    """
    place = folder / version
    command = [sys.executable, "-m", "mkdocs", "build", "--clean", "--quiet", "-d", str(place)]
    if subprocess.run(command, cwd=REPO, env=os.environ | QUIET, check=False).returncode:
        sys.exit("The site was not built.")
    (place / "sitemap.xml.gz").unlink(missing_ok=True)  # holds the time of the build
    versions = sorted(
        (path.parent.name for path in folder.glob("*/index.html")), key=_order, reverse=True
    )
    listed = [{"version": name, "title": name, "aliases": []} for name in versions]
    (folder / "versions.json").write_text(json.dumps(listed, indent=1) + "\n", "utf-8")
    (folder / "index.html").write_text(START.format(newest=versions[0]), "utf-8")
    return place


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


if __name__ == "__main__":
    made = build(REPO / "site")
    print(f"{made.relative_to(REPO)}/index.html")  # noqa: T201
