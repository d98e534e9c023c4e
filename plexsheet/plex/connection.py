"""From address, token and library name to a ``Gateway``."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import re
import time
import uuid
from pathlib import Path

from plexsheet import __version__
from plexsheet.config import user_folder
from plexsheet.errors import (
    PlexBusy,
    PlexForbidden,
    PlexNotFound,
    PlexUnauthorized,
)
from plexsheet.library import Identity
from plexsheet.plex.gateway import Gateway
from plexsheet.plex.wire import (
    BACKOFF_S,
    READ_TIMEOUT_S,
    WRITE_TIMEOUT_S,
    QuietSession,
    Wire,
)

PRODUCT = "plexsheet"
OWNER_ID = "1"  # Plex's local id of a server's owner, on every server


def connect(
    url: str,
    token: str,
    library_name: str,
    *,
    client_id: str = PRODUCT,
    verify_tls: bool = True,
    timeout_s: float = READ_TIMEOUT_S,
    write_timeout_s: float = WRITE_TIMEOUT_S,
    backoff_s: tuple[float, ...] = BACKOFF_S,
) -> Gateway:
    """Connect to one music library of one server.

    Args:
        url: address of the server, http or https.
        token: a Plex token; sent as a header, never part of a URL or message.
        library_name: title of the music library, upper and lower case alike.
        client_id: this installation, see ``client_identifier``.
        verify_tls: whether an https server's certificate must fit its address.
        timeout_s: how long the server may be silent while reading.
        write_timeout_s: the same while writing.
        backoff_s: pauses between tries of a read.

    Raises:
        PlexUnauthorized: the token is not accepted.
        PlexNotFound: no music library of that name; the message names those there are.
        PlexError: the child that fits.
    """
    wire = open_wire(
        url,
        token,
        client_id=client_id,
        verify_tls=verify_tls,
        timeout_s=timeout_s,
        write_timeout_s=write_timeout_s,
        backoff_s=backoff_s,
    )
    root = wire.root
    section = _section(wire, library_name)
    account_id, account, owner = _account(wire, token, root.get("myPlexUsername", ""))
    identity = Identity(
        server_id=root["machineIdentifier"],
        server_name=root.get("friendlyName") or wire.address,
        section_uuid=section.get("uuid", ""),
        section_id=int(section.get("key", "0")),
        title=section.get("title", ""),
        account_id=account_id,
        account=account,
        server_version=root.get("version", ""),
        owner=owner,
    )
    return Gateway(wire, identity)


def open_wire(
    url: str,
    token: str,
    *,
    client_id: str = PRODUCT,
    verify_tls: bool = True,
    timeout_s: float = READ_TIMEOUT_S,
    write_timeout_s: float = WRITE_TIMEOUT_S,
    backoff_s: tuple[float, ...] = BACKOFF_S,
) -> Wire:
    """Connect to a server, without choosing a library; ``root`` is what it says of itself.

    Raises:
        PlexError: the child that fits.
    """
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        # requests would quote such a header, token and all, in its own error.
        raise PlexUnauthorized(
            "The token has characters no Plex token has. Nothing was sent. Copy it again into "
            "PLEX_TOKEN, or run “plexsheet init --login” to get one."
        )
    session = QuietSession(verify_tls=verify_tls)
    session.headers.update(client_headers(client_id))
    session.headers["X-Plex-Token"] = token
    wire = Wire(
        session, url, timeout_s=timeout_s, write_timeout_s=write_timeout_s, backoff_s=backoff_s
    )
    for pause_s in backoff_s:
        # A server that is not there is told at once; one that is starting is waited for.
        with contextlib.suppress(PlexBusy):
            _read_root(wire)
            return wire
        time.sleep(pause_s)
    _read_root(wire)
    return wire


def music_libraries(wire: Wire) -> list[dict[str, str]]:
    """Attributes of the server's music libraries; one request."""
    return [s for s in _sections(wire) if s.get("type") == "artist"]


def client_headers(client_id: str) -> dict[str, str]:
    """What tells Plex who asks: plexsheet, not this computer's name and hardware address."""
    return {
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": __version__,
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Device": PRODUCT,
        "X-Plex-Device-Name": PRODUCT,
        "X-Plex-Platform": platform.system(),
        "X-Plex-Platform-Version": platform.release(),
        "X-Plex-Provides": "controller",
        "X-Plex-Language": "en",
    }


def this_client() -> str:
    """The identifier of this installation, the same for every command and folder."""
    return client_identifier(user_folder())


def client_identifier(folder: Path) -> str:
    """The identifier of an installation, made once and kept in ``folder``.

    Plex lists it under authorised devices.  Where the folder cannot be written a fresh one
    is given each time.
    """
    path = folder / "client-id"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        known = path.read_text("ascii").strip()
        if re.fullmatch(r"[0-9a-f-]{36}", known):
            return known
    fresh = str(uuid.uuid4())
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{fresh}\n", "ascii")
    return fresh


def _read_root(wire: Wire) -> None:
    root = wire.get_once("/")
    if not root.get("machineIdentifier"):
        raise wire.garbled("it is not what a Plex server says of itself")
    wire.root = dict(root.attrib)


def _sections(wire: Wire) -> list[dict[str, str]]:
    return [dict(s.attrib) for s in wire.get("/library/sections") if s.tag == "Directory"]


def _section(wire: Wire, name: str) -> dict[str, str]:
    sections = _sections(wire)
    named = [s for s in sections if s.get("title", "").casefold() == name.strip().casefold()]
    music = [s for s in named if s.get("type") == "artist"]
    exact = [s for s in music if s.get("title") == name]
    if music:
        return (exact or music)[0]
    titles = [f"“{s.get('title', '')}”" for s in sections if s.get("type") == "artist"]
    kind = named[0].get("type", "") if named else ""
    there = f"Music libraries there: {', '.join(titles)}." if titles else "It has no music library."
    what = (
        f"The library “{name}” at {wire.address} holds no music: its type is {kind}"
        if named
        else f"Plex at {wire.address} has no library “{name}”"
    )
    raise PlexNotFound(f"{what}. {wire.done} {there} Put its name into LIBRARY_NAME.")


def _account(wire: Wire, token: str, username: str) -> tuple[str, str, bool]:
    """Id and name of the account, and whether it is the owner's.

    Only the owner may read ``/library``, and the owner is number 1 on every server, so one
    request tells without asking plex.tv.  Anybody else has no id that their own token may
    read; a digest of the token keeps two people's states apart.
    """
    try:
        wire.get("/library")
    except (PlexForbidden, PlexUnauthorized):
        return f"user-{_digest(token)}", f"a user of {username or 'this server'}", False
    return OWNER_ID, username, True


def _digest(text: str) -> str:
    return hashlib.sha256(f"plexsheet account {text}".encode()).hexdigest()[:16]
