"""``init`` and ``doctor``: from nothing to a working config.json, and what is wrong with it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option
from plexsheet.errors import (
    ConfigError,
    FileExists,
    PlexNotFound,
    PlexsheetError,
    UsageError,
)

if TYPE_CHECKING:
    pass

HELP_URL = (
    "https://support.plex.tv/articles/204059436-finding-an-authentication-token-x-plex-token/"
)
LOGIN_WAIT_S = 300.0
LEGACY_KEYS = ("CONFIDENCE_C", "BIAS_CRITIC", "WEIGHT_CRITIC", "WEIGHT_GLOBAL")


@click.command(
    epilog="""\b
Examples:
  plexsheet init --login                        sign in on Plex's own page
  plexsheet init                                asks for address, token, library
  plexsheet init --url http://plex.local:32400 --token TOKEN --library Music"""
)
@click.option("--url", metavar="URL", help="Address of the server, as http://plex.local:32400.")
@click.option("--token", metavar="TOKEN", help="Plex token of the server's owner.")
@click.option("--library", metavar="NAME", help="Name of the music library.")
@click.option("--login", is_flag=True, help="Get address and token by signing in at plex.tv.")
@click.option(
    "--no-verify-tls",
    is_flag=True,
    help="Do not check the certificate of an https server, now and later (VERIFY_TLS false).",
)
@click.option("--force", is_flag=True, help="Replace a config.json that is there.")
@json_option
@click.pass_obj
def init(
    app: App,
    url: str | None,
    token: str | None,
    library: str | None,
    login: bool,
    no_verify_tls: bool,
    force: bool,
    as_json: bool,
) -> Done:
    """Write config.json: your server, your music library, your account.

    You are asked for what you do not give.  The token goes into the system's keyring where there is
    one, else into the file, which only you can read.  Nothing is written before the server
    has answered.
    """
    app.as_json = as_json
    path = _target(app)
    if path.exists() and not force:
        return _already_there(app, path)
    if login and (url or token or no_verify_tls):
        raise UsageError(
            "--login finds address and token, and an address whose certificate fits; leave --url, "
            "--token and --no-verify-tls out."
        )
    verify = not no_verify_tls
    chosen = (
        _by_login(app, library) if login else _by_hand(app, url, token, library, verify_tls=verify)
    )
    return _written(app, path, chosen, force=force, verify_tls=verify)


def _target(app: App) -> Path:
    named = app.config_path or os.environ.get("PLEXSHEET_CONFIG") or "config.json"
    return Path(named).expanduser()


def _already_there(app: App, path: Path) -> Done:
    """A config.json is in the way: one of plex-rating-utils is used as it is."""
    from plexsheet.config import load_config

    try:
        values = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        values = None
    if not isinstance(values, dict) or not any(key in values for key in LEGACY_KEYS):
        raise FileExists(
            f"{path} is there already. Nothing was written. Edit it, or give --force to replace it."
        )
    config = load_config(path)
    app.say(
        f"{path} is a config.json of plex-rating-utils {config.version}. It is used as it is and "
        "was not changed:"
    )
    for name, value in (
        ("server", config.plex_url),
        ("library", config.library_name),
        ("model", f"{config.model} (as before)"),
        ("tag", config.inferred_tag or "none"),
    ):
        app.say(f"  {name:8} {value}")
    for notice in config.notices:
        app.note(notice)
    _next(app, path)
    return Done(0, {"config": str(path), "taken_over": True, "library": config.library_name})


class Chosen(dict[str, str]):
    """url, token and library, as found out."""


def _by_hand(
    app: App, url: str | None, token: str | None, library: str | None, *, verify_tls: bool
) -> Chosen:
    from plexsheet.config import checked_address

    missing = [
        option
        for option, given in (("--url", url), ("--token", token))
        if not given and not app.may_ask()
    ]
    if missing:
        raise UsageError(
            f"{' and '.join(missing)} must be given when there is no terminal. Nothing was written."
        )
    if url:
        url = checked_address(url)
    else:
        url = click.prompt(
            "Address of your Plex server", "http://127.0.0.1:32400", value_proc=_typed, err=True
        )
    if not token:
        app.note(f"How to find your token: {HELP_URL}")
        token = click.prompt("Plex token (not shown)", hide_input=True, err=True)
    assert url is not None
    assert token is not None
    token = token.strip()
    found = _library(app, url, token, library, verify_tls=verify_tls)
    return Chosen(url=url, token=token, library=found)


def _typed(url: str) -> str:
    """An address as typed, or a reason to ask again."""
    from plexsheet.config import checked_address

    try:
        return checked_address(url)
    except ConfigError as error:
        raise click.UsageError(error.message) from error


def _library(app: App, url: str, token: str, wanted: str | None, *, verify_tls: bool = True) -> str:
    """The music library by its own spelling: the one named, the only one, or the one chosen.

    Raises:
        PlexNotFound: there is none, or none of that name.
        UsageError: there are several and nobody can be asked.
    """
    from plexsheet.plex.connection import music_libraries, open_wire, this_client

    wire = open_wire(url, token, client_id=this_client(), verify_tls=verify_tls)
    titles = [one.get("title", "") for one in music_libraries(wire)]
    if not titles:
        raise PlexNotFound(
            "The server has no music library that this account sees. Nothing was written. Make "
            "one in Plex, or use the owner's token."
        )
    if wanted is not None:
        same = [title for title in titles if title.casefold() == wanted.strip().casefold()]
        if not same:
            raise PlexNotFound(
                f"The server has no music library “{wanted}”. Nothing was written. Music "
                f"libraries there: {', '.join(titles)}."
            )
        return same[0]
    if len(titles) == 1:
        return titles[0]
    return titles[choose(app, "Music library", titles, "--library")]


def choose(app: App, what: str, names: list[str], option: str) -> int:
    """Let the person pick one of several by its number.

    Raises:
        UsageError: nobody can be asked.
    """
    if not app.may_ask():
        raise UsageError(f"There are several: {', '.join(names)}. Choose one with {option}.")
    for number, name in enumerate(names, 1):
        click.echo(f"  {number}  {name}", err=True)
    picked = click.prompt(what, type=click.IntRange(1, len(names)), default=1, err=True)
    return int(picked) - 1


def _by_login(app: App, library: str | None) -> Chosen:
    """Sign in on Plex's own page, then pick a server and a library."""
    import webbrowser

    from plexsheet.plex import this_client
    from plexsheet.plex.login import nearest, servers, start_pin

    client_id = this_client()
    pin = start_pin(client_id, short=True)
    app.note(f"Open {pin.url} and type the code {pin.code}")
    if _has_display():
        webbrowser.open(pin.url)
    with _countdown(app) as tick:
        token = pin.wait(LOGIN_WAIT_S, tick)
    app.note("Signed in.")
    found = servers(token, client_id)
    if not found:
        raise PlexNotFound(
            "This account has no Plex server. Nothing was written. Sign in with the account that "
            "owns one, or give --url and --token."
        )
    names = [f"{server.name}{'' if server.owned else ' (shared with you)'}" for server in found]
    server = found[0 if len(found) == 1 else choose(app, "Server", names, "--url and --token")]
    url = nearest(server)
    return Chosen(url=url, token=server.token, library=_library(app, url, server.token, library))


def _has_display() -> bool:
    """Whether a browser could show itself to the person."""
    on_screen = sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return on_screen and sys.stderr.isatty()


@contextmanager
def _countdown(app: App) -> Iterator[Callable[[float], None]]:
    """Shows the seconds left in place on a terminal, and clears them; elsewhere nothing."""
    if app.quiet or not sys.stderr.isatty():
        yield lambda left_s: None
        return

    def tick(left_s: float) -> None:
        click.echo(f"\rWaiting for you to confirm: {left_s:.0f} s  ", nl=False, err=True)

    try:
        yield tick
    finally:
        click.echo(f"\r{'':40}\r", nl=False, err=True)


def _written(app: App, path: Path, chosen: Chosen, *, force: bool, verify_tls: bool) -> Done:
    from plexsheet.config import keep_in_keyring, write_config

    url, token, library = chosen["url"], chosen["token"], chosen["library"]
    in_keyring = keep_in_keyring(url, token)
    write_config(
        path,
        plex_url=url,
        token="" if in_keyring else token,
        library_name=library,
        force=force,
        VERIFY_TLS=verify_tls,
    )
    kept = "the system's keyring" if in_keyring else "the file, which only you can read"
    app.say(f"Written: {path}\n  server   {url}\n  library  {library}\n  token    kept in {kept}")
    _next(app, path)
    payload = {"config": str(path), "taken_over": False, "url": url, "library": library}
    return Done(0, payload | {"token_in": "keyring" if in_keyring else "file"})


def _next(app: App, path: Path) -> None:
    """Offer what plex-rating-utils remembers, if it is here, and say how to go on."""
    from plexsheet.cli.state import LEGACY_STATE

    old = path.parent / LEGACY_STATE
    if old.is_file() and app.may_ask():
        _offer(app, path)
    elif old.is_file():
        app.say(
            f"\n{old} of plex-rating-utils is here. To take over what it inferred "
            f"(the file is not changed):\n  plexsheet state import {old}"
        )
    app.say("\nNext: plexsheet doctor, then plexsheet export")


def _offer(app: App, path: Path) -> None:
    from plexsheet.cli.state import offer_take_over
    from plexsheet.config import load_config

    config = load_config(path, profile=app.profile)
    try:
        with app.session(config) as session:
            offer_take_over(app, session)
    except PlexsheetError as error:
        app.note(f"What plex-rating-utils remembers was not looked at: {error.message}")
