"""Signing in, against a stand-in of plex.tv on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from plexapi.myplex import MyPlexPinLogin

from plexsheet.errors import PlexBusy, PlexGarbled, PlexUnauthorized, PlexUnreachable
from plexsheet.plex import login
from tests.plex.server import DemoPlex

ACCOUNT_TOKEN = "accountTokenNotToShow"
CLIENT = "7b7e4a9e-0000-4000-8000-000000000000"


class PlexTv(ThreadingHTTPServer):
    """As much of plex.tv as a sign-in needs: pins and resources, in the shapes it answers with.

    Attributes:
        confirm_after: at which look at the pin it is confirmed; 0 never.
        fail: status to answer everything with; 0 none.
        resources: XML of the account's servers.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.confirm_after = 2
        self.fail = 0
        self.looks = 0
        self.resources = "<resources/>"
        self.headers_seen = []


class Answers(BaseHTTPRequestHandler):
    server: PlexTv

    def do_POST(self):
        strong = parse_qs(urlsplit(self.path).query).get("strong")
        code = "a-long-code" if strong else "ABCD"
        self.answer(f'<pin id="111222333" code="{code}" expiresIn="900" authToken=""/>', 201)

    def do_GET(self):
        if self.path.startswith("/api/v2/pins/111222333"):
            self.server.looks += 1
            done = 0 < self.server.confirm_after <= self.server.looks
            token = ACCOUNT_TOKEN if done else ""
            self.answer(f'<pin id="111222333" code="a-long-code" authToken="{token}"/>')
        elif self.headers["X-Plex-Token"] == ACCOUNT_TOKEN:
            self.answer(self.server.resources)
        else:
            self.answer('<errors><error code="1001" status="401"/></errors>', 401)

    def answer(self, body, status=200):
        self.server.headers_seen.append(self.headers)
        status, body = (self.server.fail, "<html/>") if self.server.fail else (status, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def plex_tv(monkeypatch):
    server = PlexTv()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setattr(MyPlexPinLogin, "PINS", f"{server.url}/api/v2/pins")
    monkeypatch.setattr(MyPlexPinLogin, "POLLINTERVAL", 0.05)
    monkeypatch.setattr(login, "PLEX_TV", server.url)
    monkeypatch.setattr(login, "BACKOFF_S", (0.0,))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def resource(name, server_id, *connections, owned=1, provides="server", https_required=0):
    inner = "".join(
        f'<connection protocol="https" address="{address}" port="{port}" uri="{uri}" '
        f'local="{local}" relay="{relay}" IPv6="0"/>'
        for address, port, uri, local, relay in connections
    )
    return (
        f'<resource name="{name}" product="Plex Media Server" clientIdentifier="{server_id}" '
        f'provides="{provides}" accessToken="server-token" owned="{owned}" '
        f'httpsRequired="{https_required}"><connections>{inner}</connections></resource>'
    )


def test_the_token_comes_once_the_person_has_confirmed(plex_tv):
    plex_tv.confirm_after = 3
    ticks = []

    pin = login.start_pin(CLIENT)
    token = pin.wait(10, ticks.append)

    assert token == ACCOUNT_TOKEN
    assert plex_tv.looks == 3
    assert len(ticks) == 2
    assert all(8 < left <= 10 for left in ticks)
    assert pin.url.startswith("https://app.plex.tv/auth")
    assert "a-long-code" in pin.url
    assert CLIENT in pin.url
    assert plex_tv.headers_seen[0]["X-Plex-Client-Identifier"] == CLIENT
    assert plex_tv.headers_seen[0]["X-Plex-Product"] == "plexsheet"
    assert ACCOUNT_TOKEN not in repr(pin)


def test_a_short_code_for_a_computer_without_browser(plex_tv):
    pin = login.start_pin(CLIENT, short=True)

    assert (pin.url, pin.code) == ("https://plex.tv/link", "ABCD")
    assert pin.wait(10) == ACCOUNT_TOKEN


def test_nobody_confirms(plex_tv):
    plex_tv.confirm_after = 0
    pin = login.start_pin(CLIENT)

    with pytest.raises(PlexUnauthorized, match="not confirmed within 0 seconds"):
        pin.wait(0.12)

    assert plex_tv.looks >= 2


def test_a_failed_look_is_tried_again(plex_tv):
    pin = login.start_pin(CLIENT)
    plex_tv.fail = 429
    threading.Timer(0.2, setattr, (plex_tv, "fail", 0)).start()

    assert pin.wait(10) == ACCOUNT_TOKEN


@pytest.mark.parametrize("status", [429, 500, 498])
def test_plex_tv_refuses_to_begin(plex_tv, status):
    plex_tv.fail = status

    with pytest.raises(PlexUnreachable, match=r"did not begin a sign-in.*--token"):
        login.start_pin(CLIENT)


def test_without_internet(monkeypatch):
    monkeypatch.setattr(MyPlexPinLogin, "PINS", "http://127.0.0.1:9/api/v2/pins")
    monkeypatch.setattr(login, "PLEX_TV", "http://127.0.0.1:9")
    monkeypatch.setattr(login, "BACKOFF_S", (0.0,))

    with pytest.raises(PlexUnreachable, match=r"plex\.tv could not be reached"):
        login.start_pin(CLIENT)
    with pytest.raises(PlexUnreachable, match=r"plex\.tv could not be reached"):
        login.servers(ACCOUNT_TOKEN, CLIENT)


def test_servers_are_listed_own_first_and_near_addresses_first(plex_tv):
    remote = ("203.0.113.1", 443, "https://203-0-113-1.hash.plex.direct:443", 0, 0)
    relay = ("203.0.113.2", 8443, "https://203-0-113-2.hash.plex.direct:8443", 0, 1)
    local = ("192.0.2.10", 32400, "https://192-0-2-10.hash.plex.direct:32400", 1, 0)
    plex_tv.resources = (
        "<resources>"
        + resource("Friend", "f", remote, owned=0)
        + resource("Phone", "p", local, provides="client,player")
        + resource("Box", "b", relay, remote, local)
        + resource("Strict", "s", local, https_required=1, provides="client,server")
        + "</resources>"
    )

    found = login.servers(ACCOUNT_TOKEN, CLIENT)

    assert [server.name for server in found] == ["Box", "Strict", "Friend"]
    assert found[0].connections == (local[2], "http://192.0.2.10:32400", remote[2], relay[2])
    assert found[1].connections == (local[2],)
    assert [server.owned for server in found] == [True, True, False]
    assert "server-token" not in repr(found)


def test_plex_tv_answers_strangely(plex_tv):
    with pytest.raises(PlexUnauthorized):
        login.servers("another", CLIENT)
    plex_tv.resources = "<html><p>Busy"
    with pytest.raises(PlexGarbled, match=r"The answer of plex\.tv"):
        login.servers(ACCOUNT_TOKEN, CLIENT)
    plex_tv.fail = 429
    with pytest.raises(PlexBusy):
        login.servers(ACCOUNT_TOKEN, CLIENT)


def test_the_nearest_address_is_the_first_that_is_the_server():
    with DemoPlex(tracks=20, identity="a") as wanted, DemoPlex(tracks=20, identity="b") as other:
        import requests

        root = requests.get(f"{wanted.url}/identity", timeout=5).text
        server_id = root.partition('machineIdentifier="')[2].partition('"')[0]
        urls = ("http://127.0.0.1:9", other.url, wanted.url)
        server = login.Server("Box", server_id, urls, wanted.token, True)

        url = login.nearest(server)

        assert url == wanted.url
        assert login.libraries(url, server.token, CLIENT) == ["Music"]
        with pytest.raises(PlexUnreachable, match="answers at none of its 2 addresses"):
            login.nearest(login.Server("Box", server_id, urls[:2], wanted.token, True))
        assert not any("token" in line.lower() for line in other.log)
