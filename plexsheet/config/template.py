"""A new config.json, written from the template that the wheel carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plexsheet.errors import ConfigError, FileExists
from plexsheet.files import write_whole

FILE_NAME = "config.json"


def template_text(name: str) -> str:
    """Text of a file of templates/, from the checkout or the installed package."""
    package = Path(__file__).parent.parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8")
    raise ConfigError(
        f"The template {name} is missing from this installation. Nothing was done. Install "
        "plexsheet again."
    )


def write_config(
    path: str | Path,
    *,
    plex_url: str,
    token: str,
    library_name: str,
    force: bool = False,
    **settings: Any,
) -> Path:
    """Write a new settings file from the template, readable by its owner alone.

    Args:
        path: the file to make.
        plex_url: address of the server.
        token: "" where the keyring keeps it.
        library_name: the music library.
        force: replace a file that is there.
        settings: others, by key, as ``MODEL="classic"``.

    Raises:
        FileExists: the file is there and ``force`` is false.
        ConfigError: the folder cannot be written.
    """
    path = Path(path).expanduser()
    if path.exists() and not force:
        raise FileExists(
            f"{path} exists already. Nothing was written. Use --force to replace it, or edit it."
        )
    values = json.loads(template_text(FILE_NAME))
    values |= {"PLEX_URL": plex_url, "PLEX_TOKEN": token, "LIBRARY_NAME": library_name}
    text = json.dumps(values | settings, indent=4, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text, private=True)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. Nothing was changed. Choose another "
            "folder with --config."
        ) from error
    return path
