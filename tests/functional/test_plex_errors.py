"""Everything that can go wrong with a server, and the sentence a person reads."""

from __future__ import annotations

import socket
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from plexsheet import plex
from plexsheet.errors import (
    PlexBusy,
    PlexError,
    PlexForbidden,
    PlexGarbled,
    PlexNotFound,
    PlexUnauthorized,
    PlexUnreachable,
)
from tests.plex.server import DemoPlex

TOKEN = "tokenThatMustNotShow"
ROOT = b'<MediaContainer machineIdentifier="M" friendlyName="S" version="1.40" myPlexUsername="u"/>'
SECTIONS = (
    b'<MediaContainer size="3"><Directory key="1" type="artist" title="Music" uuid="u1"/>'
    b'<Directory key="2" type="movie" title="Films" uuid="u2"/>'
    b'<Directory key="3" type="artist" title="Vinyl" uuid="u3"/></MediaContainer>'
)


class Stand(HTTPServer):
    """Answers each path with a fixed status, body and headers."""

    def __init__(self, answers):
        self.answers = {"/": (200, ROOT), "/library/sections": (200, SECTIONS)}
        self.answers |= {"/library": (200, b"<MediaContainer/>")} | answers
        self.seen = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self.path)
        status, body, *headers = self.server.answers.get(self.path.partition("?")[0], (404, b""))
        self.send_response_only(status, "x")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET  # noqa: N815 - the base's name

    def log_message(self, *_):
        pass


@pytest.fixture
def stand():
    servers = []

    def start(answers=None):
        server = Stand(answers or {})
        servers.append((server, threading.Thread(target=server.serve_forever, args=(0.02,))))
        servers[-1][1].start()
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def failure(url, library="Music", token=TOKEN, use=None, **more) -> PlexError:
    with pytest.raises(PlexError) as caught:
        gateway = plex.connect(url, token, library, backoff_s=(0.0,), **more)
        if use is not None:
            use(gateway)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.exit_code == 4
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (401, b"<html><h1>401 Unauthorized</h1></html>", PlexUnauthorized, "the token (401)"),
        (498, b"", PlexUnauthorized, "the token (498)"),
        (403, b"", PlexForbidden, "(403)"),
        (404, b"", PlexNotFound, "(404)"),
        (429, b"", PlexBusy, "busy: status 429"),
        (500, b"<html/>", PlexBusy, "status 500"),
        (503, b'{"code":503,"title":"Maintenance","status":"Starting."}', PlexBusy, "busy"),
        (302, b"", PlexUnreachable, "sends on to another address"),
        (418, b"", PlexGarbled, "418"),
        (200, b"", PlexGarbled, "could not be read"),
        (200, b"<html><form>Sign in</form>", PlexGarbled, "could not be read"),
        (200, b"<html><p>Sign in</p></html>", PlexGarbled, "not what a Plex server says"),
        (200, b"{}", PlexGarbled, "could not be read"),
        (200, b"<a/>", PlexGarbled, "not what a Plex server says of itself"),
    ],
)
def test_the_first_answer(stand, status, body, error, told):
    server = stand({"/": (status, body)})

    found = failure(server.url)

    assert isinstance(found, error)
    assert told in found.message
    assert "Nothing was changed." in found.message


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (401, b"", PlexUnauthorized, "(401)"),
        (403, b"", PlexForbidden, "may not read this library"),
        (404, b"", PlexNotFound, "(404)"),
        (500, b"", PlexBusy, "status 500"),
        (
            503,
            b'{"code":503,"title":"Maintenance","status":"Running startup tasks."}',
            PlexBusy,
            "“Running startup tasks” (503)",
        ),
        (400, b"", plex.PlexRejected, "(400)"),
        (200, b"", PlexGarbled, "the answer was empty"),
        (200, b"<!DOCTYPE html><html><form>", PlexGarbled, "a web page came instead"),
        (200, b'<MediaContainer size="1"><Track rat', PlexGarbled, "broke off"),
        (200, b'<MediaContainer size="2"></MediaContainer>', PlexGarbled, "2 items were announced"),
        (
            200,
            b'<MediaContainer size="1" totalSize="5"><Directory ratingKey="1" type="artist"/>'
            b"</MediaContainer>",
            PlexGarbled,
            "changed while they were read, twice: an item was listed twice",
        ),
        (
            200,
            b'<MediaContainer size="0" totalSize="5"></MediaContainer>',
            PlexGarbled,
            "5 items were announced, 0 came",
        ),
    ],
)
def test_a_listing(stand, status, body, error, told):
    server = stand({"/library/sections/1/all": (status, body)})

    found = failure(server.url, use=lambda gateway: gateway.read_library())

    assert type(found) is error
    assert told in found.message


def test_a_total_that_drifts_is_never_taken_for_a_library():
    with DemoPlex(tracks=3000) as demo:
        gateway = plex.connect(demo.url, demo.token, "Music", backoff_s=())
        demo.set_faults(total_drift=1)

        with pytest.raises(PlexGarbled, match="changed while they were read, twice"):
            gateway.read_library()


def test_nothing_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    found = failure(url)

    assert isinstance(found, PlexUnreachable)
    assert f"Plex at {url} did not answer: the connection was refused." in found.message


def test_nobody_of_that_name():
    found = failure("http://nobody.invalid:32400")

    assert isinstance(found, PlexUnreachable)
    assert "no server of that name is known" in found.message


def test_a_server_that_is_silent():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        found = failure(url, timeout_s=0.2)

    assert isinstance(found, PlexUnreachable)
    assert "no answer in time" in found.message


@pytest.mark.parametrize("kind", ["timeout", "drop_before", "500", "html", "truncated"])
def test_a_server_that_fails_for_good_is_told_after_all_tries(kind):
    with DemoPlex(tracks=100) as demo:
        gateway = plex.connect(
            demo.url, demo.token, "Music", timeout_s=0.3, backoff_s=(0.0, 0.0, 0.0)
        )
        demo.set_faults(every_nth=1, kind=kind, on="reads", timeout_s=0.5)
        before = gateway.requests

        with pytest.raises((PlexUnreachable, PlexBusy, PlexGarbled)):
            gateway.read_library()

        assert gateway.requests == before + 4


def test_a_server_that_is_starting_is_waited_for(stand):
    server = stand({"/": (503, b"")})
    ready = threading.Timer(0.2, server.answers.update, [{"/": (200, ROOT)}])
    ready.start()

    gateway = plex.connect(server.url, TOKEN, "Music", backoff_s=(0.5,))

    ready.join()
    assert gateway.identity.server_id == "M"
    assert gateway.requests == len(server.seen) == 4


def test_a_library_that_is_not_there_names_those_that_are(stand):
    found = failure(stand().url, "Musik")

    assert isinstance(found, PlexNotFound)
    assert "has no library “Musik”" in found.message
    assert "Music libraries there: “Music”, “Vinyl”." in found.message
    assert "Films" not in found.message


def test_a_library_of_another_type(stand):
    found = failure(stand().url, "Films")

    assert "The library “Films”" in found.message
    assert "holds no music: its type is movie" in found.message
    assert "“Vinyl”" in found.message


def test_upper_and_lower_case_of_a_library_do_not_matter(stand):
    assert plex.connect(stand().url, TOKEN, " vinyl ").identity.section_uuid == "u3"


def test_the_token_is_not_sent_on_to_another_address(stand):
    other = stand()
    server = stand({"/": (301, b"", ("Location", f"{other.url}/?X-Plex-Token={TOKEN}"))})

    found = failure(server.url)

    assert isinstance(found, PlexUnreachable)
    assert f"sends on to {other.url}" in found.message
    assert other.seen == []


def test_credentials_in_the_address_are_not_shown():
    found = failure("http://me:hunter2@127.0.0.1:9")

    assert "hunter2" not in "".join(traceback.format_exception(found.__class__(found.message)))
    assert "http://127.0.0.1:9" in found.message


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN} x", f"{TOKEN}é", ""])
def test_a_token_that_can_be_none_is_not_sent(stand, token):
    server = stand()

    found = failure(server.url, token=token)

    assert isinstance(found, PlexUnauthorized)
    assert server.seen == []


def test_after_a_write_the_message_does_not_say_nothing_was_changed():
    with DemoPlex(tracks=50) as demo:
        gateway = plex.connect(demo.url, demo.token, "Music", backoff_s=())
        gateway.rate(demo.items("track")[0]["key"], 8.0)
        demo.set_faults(every_nth=1, kind="500")

        with pytest.raises(PlexBusy) as caught:
            gateway.read_library()

    assert "Nothing was changed" not in caught.value.message
    assert "plexsheet resume" in caught.value.message


def test_this_computer_is_not_named_to_the_server():
    import uuid

    headers = plex.connection.client_headers("an-identifier")

    assert headers["X-Plex-Client-Identifier"] == "an-identifier"
    assert headers["X-Plex-Product"] == headers["X-Plex-Device-Name"] == "plexsheet"
    assert hex(uuid.getnode()) not in headers.values()
    assert socket.gethostname() not in headers.values()


def test_the_installation_keeps_its_identifier(tmp_path):
    made = plex.client_identifier(tmp_path / "folder")

    assert len(made) == 36
    assert plex.client_identifier(tmp_path / "folder") == made
    (tmp_path / "folder" / "client-id").write_text("rubbish")
    assert plex.client_identifier(tmp_path / "folder") != made
    (tmp_path / "file").write_text("")
    assert len(plex.client_identifier(tmp_path / "file")) == 36
