"""Requests to one Plex server, and its refusals in our words.

The only place that sees HTTP.  Every failure of requests, urllib3 or the server
becomes an error of ``errors.py`` here.  Reading is tried four times; a write is
sent once, because one that timed out may still have been carried out: whoever
writes reads back first.  Redirects are not followed: they would take the token
to another address.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree

import requests
import urllib3

from plexsheet.errors import (
    PlexBusy,
    PlexError,
    PlexForbidden,
    PlexGarbled,
    PlexNotFound,
    PlexUnauthorized,
    PlexUnreachable,
)
from plexsheet.plex.listing import Cleaner

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
WRITE_TIMEOUT_S = 120.0
BACKOFF_S = (1.0, 5.0, 15.0)
_CHUNK = 1 << 17
_SHOWN_CHARS = 160  # of a path in the log
LOG = logging.getLogger(__name__)  # the token is a header, so no line here has it

Result = TypeVar("Result")


class PlexRejected(PlexError):
    """Plex took exception to a request's form: 400, 409, 413, 414.

    Mostly too many ids at once; the caller may halve the request and try again.
    """

    code = "rejected"


class QuietSession(requests.Session):
    """A session that follows no redirect, so the token stays with the server it is for.

    Args:
        verify_tls: whether a certificate must fit its address; false is not undone by
            REQUESTS_CA_BUNDLE, and is not warned of at each request.
    """

    def __init__(self, *, verify_tls: bool = True) -> None:
        super().__init__()
        self.verify = verify_tls
        if not verify_tls:
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """No target, ever."""
        return None

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        """As requests does, unless certificates are not to be checked."""
        merged = super().merge_environment_settings(*args, **kwargs)
        return merged if self.verify else {**merged, "verify": False}


class Answer:
    """A streamed answer whose bytes are taken as they come.

    Attributes:
        headers: of the answer.
        seconds: from the request to the last byte, once all is taken.
    """

    def __init__(self, response: requests.Response, wire: Wire, started: float) -> None:
        self.headers = response.headers
        self.seconds = 0.0
        self._response = response
        self._wire = wire
        self._started = started

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_content(_CHUNK)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._wire.unreachable(error) from error
        self.seconds = time.monotonic() - self._started

    def close(self) -> None:
        """Give the connection back, whatever was not taken."""
        self._response.close()


class Wire:
    """The connection to one server.

    Attributes:
        requests: how many were sent so far.
        writes: how many of them could change something.
        backoff_s: pauses between tries of a read.
        root: what the server said of itself, where it was asked.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        timeout_s: float = READ_TIMEOUT_S,
        write_timeout_s: float = WRITE_TIMEOUT_S,
        backoff_s: tuple[float, ...] = BACKOFF_S,
    ) -> None:
        self.requests = 0
        self.writes = 0
        self.backoff_s = backoff_s
        self.root: Mapping[str, str] = {}
        self.base_url = base_url.rstrip("/")
        self.address = address_of(base_url)
        self._session = session
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._write_timeout = (min(CONNECT_TIMEOUT_S, write_timeout_s), write_timeout_s)
        self._counting = threading.Lock()

    @property
    def hooks(self) -> list[Any]:
        """What is called with each answer of the server, as requests calls its hooks."""
        hooks: list[Any] = self._session.hooks["response"]
        return hooks

    def open(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once for a path with its query.

        Raises:
            PlexError: the child that fits.
        """
        self._count(write=False)
        started = time.monotonic()
        try:
            response = self._session.get(
                self.base_url + path, headers=headers, timeout=self._timeout, stream=True
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self.unreachable(error) from error
        _logged("GET", path, response, started)
        if response.status_code != 200:
            raise self.refused(response, "read")
        return Answer(response, self, started)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> ElementTree.Element:
        """A small answer as XML, tried four times.

        Raises:
            PlexError: the child that fits.
        """
        return self.retried(lambda: self.get_once(path, headers))

    def get_once(self, path: str, headers: Mapping[str, str] | None = None) -> ElementTree.Element:
        """A small answer as XML, asked for once.

        Raises:
            PlexError: the child that fits.
        """
        body = b"".join(self.open(path, headers))
        try:
            return ElementTree.fromstring(body)  # noqa: S314 - expat 2.4.1 and later limits entities
        except ElementTree.ParseError:
            pass
        cleaner = Cleaner()
        try:
            return ElementTree.fromstring(cleaner.feed(body) + cleaner.close())  # noqa: S314
        except ElementTree.ParseError as error:
            page = body.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))
            why = "a web page came instead, perhaps the login page of a proxy"
            raise self.garbled(why if page else "it is not complete XML") from error

    def put(self, path: str) -> None:
        """Send one write, once.

        Raises:
            PlexRejected: its form was refused; a smaller one may pass.
            PlexError: the child that fits; after ``PlexUnreachable`` and ``PlexBusy`` the
                write may have been carried out all the same.
        """
        self._count(write=True)
        started = time.monotonic()
        try:
            response = self._session.put(self.base_url + path, timeout=self._write_timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self.unreachable(error) from error
        _logged("PUT", path, response, started)
        if response.status_code not in (200, 201, 204):
            raise self.refused(response, "change")

    def retried(self, call: Callable[[], Result]) -> Result:
        """The result of a read, tried again after a pause where that may help."""
        for pause in self.backoff_s:
            try:
                return call()
            except (PlexUnreachable, PlexBusy, PlexGarbled) as error:
                LOG.debug("%s; asking again in %g s", error.code, pause)
                time.sleep(pause)
        return call()

    def unreachable(self, error: Exception) -> PlexUnreachable:
        """What a failed connection is to a person."""
        return PlexUnreachable(
            f"Plex at {self.address} did not answer: {_reason(error)}. {self.done} "
            "Check that the server runs and that PLEX_URL is its address, then run the "
            "command again."
        )

    def garbled(self, why: str) -> PlexGarbled:
        """What an unreadable answer is to a person."""
        return PlexGarbled(
            f"The answer of {self.address} could not be read: {why}. {self.done} "
            "Check that PLEX_URL leads to Plex itself and not to another program, then run "
            "the command again."
        )

    def refused(self, response: requests.Response, doing: str) -> PlexError:
        """What an answer with a status other than 200 is to a person.

        Args:
            response: the answer; it is closed.
            doing: "read" or "change".
        """
        try:
            body = response.content[:2000]
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            body = b""
        finally:
            response.close()
        status = response.status_code
        if 300 <= status < 400:
            target = address_of(response.headers.get("Location", "")) or "another address"
            return PlexUnreachable(
                f"{self.address} sends on to {target}. The token was not sent there. {self.done} "
                "Put the address that answers itself into PLEX_URL."
            )
        return refusal(status, body, self.address, doing, self.done)

    @property
    def done(self) -> str:
        """What has been done so far, as a sentence."""
        if self.writes:
            return "What was written before is recorded; “plexsheet resume” goes on from there."
        return "Nothing was changed."

    def _count(self, *, write: bool) -> None:
        with self._counting:  # the page reader counts from its own thread
            self.requests += 1
            self.writes += write


def refusal(status: int, body: bytes, address: str, doing: str, done: str) -> PlexError:
    """The error for an HTTP status, as a value.

    Args:
        status: what came instead of 200.
        body: the answer, for the few that say more.
        address: the server, without credentials.
        doing: "read" or "change".
        done: what has been done so far, as a sentence.
    """
    if status in (401, 498):  # 498: an expired token of the newer kind
        return PlexUnauthorized(
            f"Plex at {address} does not accept the token ({status}). {done} Put a valid token "
            "into PLEX_TOKEN, or run “plexsheet init --login” to get one."
        )
    if status == 403:
        may_not = "edit" if doing == "change" else doing
        return PlexForbidden(
            f"Plex refused this {doing} (403): the account may not {may_not} this library. {done} "
            "Use the token of the server's owner."
        )
    if status == 404:
        return PlexNotFound(
            f"Plex at {address} has nothing there (404): the item or library is gone, or the "
            f"address leads to another program. {done} Export again, or check PLEX_URL."
        )
    if status == 429 or status >= 500:
        return PlexBusy(
            f"Plex at {address} is busy: {_told(status, body)}. {done} Wait until it is ready, "
            "then run the command again."
        )
    if status in (400, 409, 413, 414, 431):
        return PlexRejected(
            f"Plex at {address} rejected a request ({status}). {done} If it happens again, "
            "please report it with the version of your Plex server."
        )
    return PlexGarbled(
        f"{address} answered with status {status}, which Plex does not use. {done} Check that "
        "PLEX_URL leads to Plex itself and not to another program."
    )


def address_of(url: str) -> str:
    """Scheme, host and port of a URL: what may be shown of it.

    >>> address_of("http://me:secret@192.0.2.1:32400/web?X-Plex-Token=abc")
    'http://192.0.2.1:32400'
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the address in PLEX_URL"
    if not host:
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def server_time(headers: Mapping[str, str]) -> int:
    """Epoch seconds of an answer by the server's clock, by ours where it tells none."""
    try:
        return int(parsedate_to_datetime(headers["Date"]).timestamp())
    except (KeyError, ValueError, TypeError):
        return int(time.time())


def _logged(method: str, path: str, response: requests.Response, started: float) -> None:
    took_ms = (time.monotonic() - started) * 1000
    LOG.debug(
        "%s %.*s: %d after %.0f ms", method, _SHOWN_CHARS, path, response.status_code, took_ms
    )


def _told(status: int, body: bytes) -> str:
    try:
        said = json.loads(body)["status"]
    except (ValueError, KeyError, TypeError):
        return f"status {status}"
    return f"“{str(said).rstrip('.')}” ({status})"


def _reason(error: Exception) -> str:
    text = f"{error!r} {error.__cause__!r} {error.__context__!r}"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return (
            "its certificate does not fit the address (for https use the server's plex.direct "
            "name; at home http may do; VERIFY_TLS false in the settings goes without the check)"
        )
    if re.search(r"NameResolution|getaddrinfo|Name or service|nodename", text):
        return "no server of that name is known"
    if "refused" in text:
        return "the connection was refused"
    if re.search(r"IncompleteRead|reset|aborted|Remote end closed|ChunkedEncoding", text):
        return "the connection was dropped"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return "the address is not valid"
    return "no connection"
