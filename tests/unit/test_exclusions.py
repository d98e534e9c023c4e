"""Which tracks speak for their album."""

from __future__ import annotations

import pytest

from plexsheet.config.settings import ExclusionSettings
from plexsheet.inference.exclusions import counts_upward
from plexsheet.library import Identity, Library, table

IDENTITY = Identity("server", "Server", "uuid", 1, "Music", "1", "me")


def library(*tracks):
    return Library(
        IDENTITY,
        table("artist", {"key": []}),
        table("album", {"key": []}),
        table(
            "track",
            {
                "key": range(len(tracks)),
                "title": [title for title, _ in tracks],
                "duration_ms": [seconds * 1000 for _, seconds in tracks],
            },
        ),
    )


@pytest.mark.parametrize(
    ("title", "seconds", "reason"),
    [
        ("Song", 200, "Yes"),
        ("Song", 80, "Yes"),
        ("Song", 79, "no: under 80 s"),
        ("Song", 0, "Yes"),
        ("Intro", 200, "no: word intro"),
        ("The (INTRO)", 200, "no: word intro"),
        ("L'intro", 200, "no: word intro"),
        ("skit_2", 200, "no: word skit"),
        ("Outro / Intro", 200, "no: word intro"),
        ("Introduction", 200, "Yes"),
        ("Introspection", 200, "Yes"),
        ("Intro", 30, "no: under 80 s"),
    ],
)
def test_the_rule_that_excludes_a_track_is_named(title, seconds, reason):
    counts, reasons = counts_upward(library((title, seconds)), ExclusionSettings())

    assert reasons.tolist() == [reason]
    assert counts.tolist() == [reason == "Yes"]


def test_capitals_matter_only_when_asked():
    lib = library(("Intro", 200), ("intro", 200))

    counts, _ = counts_upward(lib, ExclusionSettings(case_sensitive=True))

    assert counts.tolist() == [True, False]


def test_phrases_match_across_punctuation():
    lib = library(("A (Spoken-Word)", 200), ("Spoken", 200))

    counts, reasons = counts_upward(lib, ExclusionSettings(keywords=("spoken word",)))

    assert counts.tolist() == [False, True]
    assert reasons[0] == "no: word spoken word"


def test_disabled_rules_exclude_nothing():
    counts, reasons = counts_upward(library(("Intro", 9)), ExclusionSettings(enabled=False))

    assert counts.all()
    assert reasons.tolist() == ["Yes"]


def test_no_tracks_no_words():
    assert counts_upward(library(), ExclusionSettings())[0].tolist() == []
    assert counts_upward(library(("A", 100)), ExclusionSettings(keywords=()))[0].all()
