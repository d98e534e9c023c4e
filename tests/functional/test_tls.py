"""A server whose certificate does not fit: a real TLS server with a certificate made here."""

from __future__ import annotations

import contextlib
import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.driver import Tool, plexsheet
from tests.plex.server import DemoPlex

NOT_CHECKED = "the server's certificate is not checked"


def self_made_certificate(folder: Path) -> Path:
    """Key and certificate in one file, as a home server signs them itself, for another name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nas.invalid")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@dataclass(frozen=True)
class Secured:
    """A demo server behind TLS."""

    url: str
    token: str


@contextlib.contextmanager
def secured(plex: DemoPlex, certificate: Path) -> Iterator[Secured]:
    """Pass decrypted bytes on to a demo server and its answers back."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Passing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):  # a client that does not trust us hangs up
                self.request.settimeout(20)
                near = context.wrap_socket(self.request, server_side=True)
                with near, socket.create_connection(("127.0.0.1", plex.port)) as far:
                    back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                    back.start()
                    _pump(near, far)
                    far.shutdown(socket.SHUT_WR)
                    back.join(20)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Passing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Secured(f"https://127.0.0.1:{server.server_address[1]}", plex.token)
        server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A small library behind TLS."""
    certificate = self_made_certificate(tmp_path_factory.mktemp("tls"))
    with DemoPlex(tracks=30) as plex, secured(plex, certificate) as found:
        yield found


def test_a_certificate_that_does_not_fit_is_refused_and_the_three_ways_out_are_named(
    server: Secured, tmp_path: Path
):
    result = Tool(tmp_path, server)("infer", "--yes")

    assert result.exit_code == 4
    assert "its certificate does not fit the address" in result.words
    ways = [result.words.index(way) for way in ("plex.direct", "http may do", "VERIFY_TLS false")]
    assert ways == sorted(ways)
    assert server.token not in result.output


def test_verify_tls_false_goes_without_the_check_and_says_so_once(
    server: Secured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/nothing-here.pem")
    tool = Tool(tmp_path, server, VERIFY_TLS=False)

    result = tool("infer", "--yes")

    assert result.exit_code == 0, result.output
    assert result.stderr.count(NOT_CHECKED) == 1
    assert "InsecureRequest" not in result.output
    assert not [one for one in recwarn if "nverified" in str(one.message)]
    assert NOT_CHECKED in tool("doctor").words


def test_http_has_no_certificate_to_speak_of(tmp_path: Path):
    with DemoPlex(tracks=30) as plex:
        result = Tool(tmp_path, plex, VERIFY_TLS=False)("infer", "--preview")

    assert result.exit_code == 0
    assert NOT_CHECKED not in result.output


def test_init_checks_unless_told_not_to_and_writes_down_that_it_was(
    server: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    words = ("init", "--url", server.url, "--token", server.token, "--library", "Music")

    refused = plexsheet(*words)
    assert refused.exit_code == 4
    assert not (tmp_path / "config.json").exists()
    assert plexsheet(*words, "--no-verify-tls").exit_code == 0

    assert '"VERIFY_TLS": false' in (tmp_path / "config.json").read_text("utf-8")
    assert plexsheet("report", "coverage").exit_code == 0
