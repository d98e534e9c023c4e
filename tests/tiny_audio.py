"""The smallest real audio files of each format: silence, to put tags into."""

from __future__ import annotations

import struct
from pathlib import Path


def mp3(path: Path) -> Path:
    """Forty frames of MPEG layer 3, about a second."""
    path.write_bytes((b"\xff\xfb\x90\x64" + bytes(413)) * 40)
    return path


def flac(path: Path, seconds: int = 1) -> Path:
    """A FLAC stream of 44,100 Hz without frames."""
    samples = 44_100 * seconds
    rate_channels_bits = (44_100 << 44) | (1 << 41) | (15 << 36) | samples
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + rate_channels_bits.to_bytes(8, "big")
    path.write_bytes(
        b"fLaC" + b"\x80" + len(info + bytes(16)).to_bytes(3, "big") + info + bytes(16)
    )
    return path


def m4a(path: Path) -> Path:
    """An MP4 file with one sound track of a second."""
    mdhd = _atom(b"mdhd", bytes(12) + struct.pack(">LLHH", 1000, 1000, 0, 0))
    hdlr = _atom(b"hdlr", bytes(8) + b"soun" + bytes(13))
    trak = _atom(b"trak", _atom(b"mdia", mdhd + hdlr))
    path.write_bytes(
        _atom(b"ftyp", b"M4A \0\0\0\0M4A ") + _atom(b"moov", trak) + _atom(b"mdat", b"")
    )
    return path


def _atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">L", 8 + len(content)) + name + content


def ogg(path: Path) -> Path:
    """An Ogg Vorbis stream of its three headers."""
    ident = b"\x01vorbis" + struct.pack("<LBLlllBB", 0, 2, 44_100, 0, 128_000, 0, 0xB8, 1)
    comment = b"\x03vorbis" + struct.pack("<L", 4) + b"none" + struct.pack("<L", 0) + b"\x01"
    setup = b"\x05vorbis" + bytes(40)
    path.write_bytes(
        _page(ident, 0, 2) + _page(comment, 1, 0) + _page(setup, 2, 0) + _page(b"\0", 3, 4, 44_100)
    )
    return path


def _page(packet: bytes, number: int, flags: int, position: int = 0) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    head = b"OggS\0" + struct.pack("<BqLL", flags, position, 1, number)
    body = bytes([len(lacing)]) + lacing + packet
    return head + struct.pack("<L", _crc(head + bytes(4) + body)) + body


def _crc(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        value &= 0xFFFFFFFF
    return value


def wma(path: Path) -> Path:
    """An ASF file of a header with the properties of a file of a second."""
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
    body = bytes(40) + struct.pack("<QQ", 10_000_000, 10_000_000) + struct.pack("<Q", 0) + bytes(16)
    made = properties + struct.pack("<Q", 24 + len(body)) + body
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    path.write_bytes(head + struct.pack("<QL", 30 + len(made), 1) + b"\x01\x02" + made)
    return path
