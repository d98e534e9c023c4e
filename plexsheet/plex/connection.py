"""From address, token and library name to a ``Gateway``.

plexapi makes the session's headers and reads the server's root; the identity of
the installation is our own (plexapi would send the machine's hardware address and
host name).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
import uuid
from pathlib import Path
from xml.etree import ElementTree

import plexapi
import plexapi.exceptions
import requests
from plexapi.config import reset_base_headers
from plexapi.server import PlexServer

from plexsheet import __version__
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
    root = wire.server
    section = _section(wire, library_name)
    account_id, account, owner = _account(wire, token, root.myPlexUsername or "")
    identity = Identity(
        server_id=root.machineIdentifier or "",
        server_name=root.friendlyName or wire.address,
        section_uuid=section.get("uuid", ""),
        section_id=int(section.get("key", "0")),
        title=section.get("title", ""),
        account_id=account_id,
        account=account,
        server_version=root.version or "",
        owner=owner,
    )
    return Gateway(wire, identity)


class ServerWire(Wire):
    """The wire with what plexapi read of the server's root.

    Attributes:
        server: plexapi's server, on the same session.
    """

    server: PlexServer


def open_wire(
    url: str,
    token: str,
    *,
    client_id: str = PRODUCT,
    verify_tls: bool = True,
    timeout_s: float = READ_TIMEOUT_S,
    write_timeout_s: float = WRITE_TIMEOUT_S,
    backoff_s: tuple[float, ...] = BACKOFF_S,
) -> ServerWire:
    """Connect to a server, without choosing a library.

    Raises:
        PlexError: the child that fits.
    """
    introduce(client_id)
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        # requests would quote such a header, token and all, in its own error.
        raise PlexUnauthorized(
            "The token has characters no Plex token has. Nothing was sent. Copy it again into "
            "PLEX_TOKEN, or run “plexsheet init --login” to get one."
        )
    session = QuietSession(verify_tls=verify_tls)
    session.headers.update(reset_base_headers())
    session.headers["X-Plex-Token"] = token
    wire = ServerWire(
        session, url, timeout_s=timeout_s, write_timeout_s=write_timeout_s, backoff_s=backoff_s
    )
    for pause_s in backoff_s:
        # A server that is not there is told at once; one that is starting is waited for.
        with contextlib.suppress(PlexBusy):
            wire.server = _root(wire, session, token, timeout_s)
            return wire
        time.sleep(pause_s)
    wire.server = _root(wire, session, token, timeout_s)
    return wire


def music_libraries(wire: Wire) -> list[dict[str, str]]:
    """Attributes of the server's music libraries; one request."""
    return [s for s in _sections(wire) if s.get("type") == "artist"]


def introduce(client_id: str) -> None:
    """Make plexapi say who asks: plexsheet, not this computer's name and hardware address."""
    plexapi.X_PLEX_PRODUCT = PRODUCT
    plexapi.X_PLEX_VERSION = __version__
    plexapi.X_PLEX_DEVICE = PRODUCT
    plexapi.X_PLEX_DEVICE_NAME = PRODUCT
    plexapi.X_PLEX_IDENTIFIER = client_id
    # plexapi's modules hold this very dictionary, so it is changed in place.
    plexapi.BASE_HEADERS.update(reset_base_headers())


def client_identifier(folder: Path) -> str:
    """The identifier of this installation, made once and kept in ``folder``.

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


def _root(wire: Wire, session: requests.Session, token: str, timeout_s: float) -> PlexServer:
    answers: list[requests.Response] = []  # plexapi's errors hide the status in a text
    session.hooks["response"] = [lambda response, *_, **__: answers.append(response)]
    wire.requests += 1
    try:
        server = PlexServer(wire.base_url, token, session=session, timeout=timeout_s)
    except requests.RequestException as error:
        raise wire.unreachable(error) from error
    # TypeError: plexapi's way of meeting a status it has no name for, such as 498.
    except (plexapi.exceptions.PlexApiException, TypeError) as error:
        raise wire.refused(answers[-1], "read") from error
    except (ElementTree.ParseError, AttributeError, ValueError) as error:
        raise wire.garbled("it is not what a Plex server says of itself") from error
    finally:
        session.hooks["response"] = []
    if not getattr(server, "machineIdentifier", None):
        raise wire.garbled("it is not what a Plex server says of itself")
    return server


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
