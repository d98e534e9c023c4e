"""Signing in at plex.tv, once, to learn the token and the servers it opens.

The person confirms in a browser; plexsheet only ever sees the token.  A server's
addresses are tried nearest first, and the token goes only to an address whose
server has first said, without being given it, that it is the one meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import plexapi.exceptions
import requests
from plexapi.myplex import MyPlexPinLogin

from plexsheet.errors import PlexError, PlexGarbled, PlexUnauthorized, PlexUnreachable
from plexsheet.plex.connection import client_headers, music_libraries, open_wire
from plexsheet.plex.wire import BACKOFF_S, QuietSession, Wire

PLEX_TV = "https://plex.tv"
RESOURCES = "/api/v2/resources?includeHttps=1&includeRelay=1"
SHORT_URL = "https://plex.tv/link"
WAIT_S = 300.0
PROBE_TIMEOUT_S = 3.0

OnTick = Callable[[float], None]  # seconds left


@dataclass(frozen=True)
class Pin:
    """A sign-in waiting to be confirmed.

    Attributes:
        url: the page to open.
        code: what to type there; "" where the page needs nothing typed.
    """

    url: str
    code: str
    _login: Any = field(repr=False)

    def wait(self, seconds: float = WAIT_S, on_tick: OnTick | None = None) -> str:
        """The token, once the person has confirmed.

        Args:
            seconds: how long to wait.
            on_tick: told about once a second how many seconds are left.

        Raises:
            PlexUnauthorized: not confirmed in time.
        """
        end = time.monotonic() + seconds
        while True:
            if self._login.checkLogin():  # says no to a failed request too: asked again
                return str(self._login.token)
            left = end - time.monotonic()
            if on_tick is not None:
                on_tick(max(left, 0.0))
            if left <= 0:
                raise PlexUnauthorized(
                    f"The sign-in was not confirmed within {seconds:.0f} seconds. Nothing was "
                    "changed. Run “plexsheet init --login” again, or give a token with --token."
                )
            time.sleep(min(self._login.POLLINTERVAL, left))


@dataclass(frozen=True)
class Server:
    """A Plex server the account may use.

    Attributes:
        name: as its owner called it.
        server_id: its machine identifier.
        connections: addresses, the nearest first, relays last.
        token: for this server.
        owned: whether the account owns it.
    """

    name: str
    server_id: str
    connections: tuple[str, ...]
    token: str = field(repr=False)
    owned: bool


def start_pin(client_id: str, *, short: bool = False) -> Pin:
    """Begin a sign-in.

    Args:
        client_id: this installation, see ``client_identifier``; shown among the account's
            authorised devices.
        short: a four-letter code for plex.tv/link, for a computer without a browser.

    Raises:
        PlexUnreachable: plex.tv cannot be reached or refuses.
    """
    # Each of these replaces what plexapi would say of this computer.
    headers = client_headers(client_id)
    login = MyPlexPinLogin(session=QuietSession(), headers=headers, oauth=not short)
    try:
        url = SHORT_URL if short else str(login.oauthUrl())
        code = str(login.pin) if short else ""
    except requests.RequestException as error:
        raise _PlexTv(headers).unreachable(error) from error
    except (plexapi.exceptions.PlexApiException, TypeError, ElementTree.ParseError) as error:
        raise PlexUnreachable(
            "plex.tv did not begin a sign-in. Nothing was changed. Wait some minutes and run the "
            "command again, or give a token with --token."
        ) from error
    return Pin(url, code, login)


def servers(token: str, client_id: str) -> list[Server]:
    """Servers the token opens, one's own first.

    Raises:
        PlexUnauthorized: plex.tv does not accept the token.
        PlexError: the child that fits.
    """
    found = [
        _server(each)
        for each in _PlexTv(client_headers(client_id), token).get(RESOURCES)
        if _is_server(each)
    ]
    return sorted(found, key=lambda server: not server.owned)


def nearest(server: Server) -> str:
    """The first address at which the server itself answers.

    Raises:
        PlexUnreachable: none does.
    """
    for url in server.connections:
        wire = Wire(QuietSession(), url, timeout_s=PROBE_TIMEOUT_S, backoff_s=())
        try:
            # Without the token: another server may live at this address by now.
            if wire.get("/identity").get("machineIdentifier") == server.server_id:
                return url
        except PlexError:
            continue
    raise PlexUnreachable(
        f"The server “{server.name}” answers at none of its {len(server.connections)} addresses. "
        "Nothing was changed. Check that it runs and is in the same network, or give its address "
        "with --url."
    )


def libraries(url: str, token: str, client_id: str) -> list[str]:
    """Names of a server's music libraries.

    Raises:
        PlexError: the child that fits.
    """
    return [
        each.get("title", "")
        for each in music_libraries(open_wire(url, token, client_id=client_id))
    ]


class _PlexTv(Wire):
    """plex.tv, with its own words for failures: PLEX_URL has no part in them."""

    def __init__(self, headers: Mapping[str, str], token: str = "") -> None:
        session = QuietSession()
        session.headers.update(headers)
        session.headers["Accept"] = "application/xml"
        if token:
            session.headers["X-Plex-Token"] = token
        super().__init__(session, PLEX_TV, timeout_s=30.0, backoff_s=BACKOFF_S[:1])

    def unreachable(self, error: Exception) -> PlexUnreachable:
        """No internet, most often."""
        return PlexUnreachable(
            "plex.tv could not be reached. Nothing was changed. Check the internet connection "
            "and run the command again, or give --url and --token, which need no plex.tv."
        )

    def garbled(self, why: str) -> PlexGarbled:
        """Something between here and plex.tv, most often."""
        return PlexGarbled(
            f"The answer of plex.tv could not be read: {why}. Nothing was changed. Run the "
            "command again, or give --url and --token, which need no plex.tv."
        )


def _is_server(resource: ElementTree.Element) -> bool:
    return "server" in resource.get("provides", "").split(",")


def _server(resource: ElementTree.Element) -> Server:
    addresses: list[tuple[int, str]] = []
    for each in resource.iter("connection"):
        local, relay = each.get("local") == "1", each.get("relay") == "1"
        rank = 3 if relay else 0 if local else 2
        addresses.append((rank, each.get("uri", "")))
        if local and resource.get("httpsRequired") != "1":
            # Some routers hide plex.direct names; at home plain http is the way round them.
            host = each.get("address", "")
            host = f"[{host}]" if ":" in host else host
            addresses.append((1, f"http://{host}:{each.get('port', '32400')}"))
    ranked = sorted(addresses, key=lambda address: address[0])
    return Server(
        name=resource.get("name", ""),
        server_id=resource.get("clientIdentifier", ""),
        connections=tuple(dict.fromkeys(url for _, url in ranked if url)),
        token=resource.get("accessToken", ""),
        owned=resource.get("owned") == "1",
    )
