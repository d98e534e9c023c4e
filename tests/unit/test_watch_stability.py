"""When a file is ready: tables worked out by hand, and every interleaving at random."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.watching.stability import (
    Look,
    Patience,
    Stability,
    StableFiles,
    lock_names,
    naming,
    pause_s,
    role_of,
)
from plexsheet.watching.sync_names import conflict_copy_of

FILE = "inbox/music.xlsx"


def look(size: int = 100, mtime: int = 1, inode: int = 7, lock: float | None = None) -> Look:
    return Look(size, mtime, inode, lock)


def rounds(looks: list[tuple[float, Look | None]], *, role: str = "drop") -> list[StableFiles]:
    stability = Stability(Patience())
    return [
        stability.round({FILE: (role, seen)} if seen else {}, at)  # type: ignore[dict-item]
        for at, seen in looks
    ]


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("inbox/a.xlsx", "drop"),
        ("inbox/deeper/a.xlsx", "drop"),
        ("a.xlsx", "edit"),
        ("2026/a.xlsx", "edit"),
        ("2026/done/a.xlsx", "edit"),
        ("results/a.xlsx", "result"),
        ("done/a.xlsx", None),
        ("failed/a.xlsx", None),
        ("working/a.xlsx", None),
        (".hidden/a.xlsx", None),
        ("2026/.a.xlsx", None),
        ("done", "edit"),  # a file of the person's that happens to have the name
    ],
)
def test_the_place_of_a_file_says_what_it_is_there_for(path, role):
    assert role_of(PurePath(path)) == role


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.xlsx", "workbook"),
        ("a.XLSM", "workbook"),
        ("a.ods", "workbook"),
        ("Größe – ★.csv", "workbook"),
        ("~$a.xlsx", "ignored"),
        (".~lock.a.xlsx#", "ignored"),
        ("lu1234abc.tmp", "ignored"),
        ("a.ods.osl-tmp", "ignored"),
        (".a.xlsx", "ignored"),
        (".syncthing.a.xlsx.tmp", "ignored"),
        ("a.xlsx.part", "ignored"),
        ("a.xlsx~", "ignored"),
        ("8A4C2E10", "ignored"),
        ("a.xls", "foreign"),
        ("a.pdf", "foreign"),
    ],
)
def test_names(name, kind):
    assert naming(name) == kind


def test_locks_lie_beside_the_workbook():
    assert lock_names("a b.ods") == ("~$a b.ods", ".~lock.a b.ods#")


def test_the_same_twice_a_settling_time_apart_is_ready():
    first, early, due = rounds([(0, look()), (1.9, look()), (2.0, look())])

    assert (first.ready, early.ready, due.ready) == ((), (), (FILE,))
    assert first.wake_at == 2.0


@pytest.mark.parametrize("changed", [look(size=101), look(mtime=2), look(inode=8)])
def test_any_change_starts_the_wait_anew(changed):
    *_, at_two, at_four = rounds([(0, look()), (1.5, changed), (3.4, changed), (3.5, changed)])

    assert (at_two.ready, at_four.ready) == ((), (FILE,))


def test_a_file_gone_and_back_waits_anew():
    *_, back, due = rounds([(0, look()), (1, None), (2, look()), (4, look())])

    assert (back.ready, due.ready) == ((), (FILE,))


def test_a_drop_waits_for_its_lock_to_go():
    locked = look(lock=5.0)

    *waiting, after = rounds([(t, locked) for t in range(0, 60, 2)] + [(60, look())])
    later = rounds([(0, locked), (10, look()), (12, look())])

    assert not any(seen.ready for seen in [*waiting, after])
    assert [seen.ready for seen in later] == [(), (), (FILE,)]


def test_a_lock_flickering_within_a_save_keeps_it_waiting():
    looks = [(t / 2, look(lock=None if t % 2 else 1.0)) for t in range(20)]

    assert not any(seen.ready for seen in rounds(looks))


def test_a_lock_older_than_ten_minutes_is_told_once_then_ignored():
    old = look(lock=601.0)

    told, again = rounds([(0, old), (2, old)])

    assert told.open == (FILE,)
    assert again.open == ()
    assert again.ready == (FILE,)


def test_a_file_edited_in_place_is_read_while_it_is_open():
    *_, due = rounds([(0, look(lock=1)), (2, look(lock=3))], role="edit")

    assert due.ready == (FILE,)


def test_an_unfinished_file_is_waited_for_until_patience_ends():
    stability = Stability(Patience())
    seen = {FILE: ("drop", look())}
    stability.round(seen, 0)  # type: ignore[arg-type]
    tries = 0
    now = 0.0
    while True:
        settled = stability.round(seen, now)  # type: ignore[arg-type]
        if settled.ready:
            tries += 1
            if stability.unfinished(FILE, now, 60):
                break
            assert stability.round(seen, now).ready == ()  # type: ignore[arg-type]
        now = stability.round(seen, now).wake_at or now  # type: ignore[arg-type]

    assert now == 60
    assert 20 <= tries <= 31


def test_files_come_in_the_order_they_were_saved():
    stability = Stability(Patience())
    looks = {f"inbox/{n}.xlsx": ("drop", look(mtime=10 - n)) for n in range(5)}

    stability.round(looks, 0)  # type: ignore[arg-type]

    ready = stability.round(looks, 2).ready  # type: ignore[arg-type]
    assert ready == tuple(f"inbox/{n}.xlsx" for n in (4, 3, 2, 1, 0))


def test_pauses_grow_to_five_minutes():
    pauses = [pause_s(n) for n in range(1, 12)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (5, 300)
    assert pause_s(10**6) == 300


step = st.tuples(
    st.floats(0.01, 5),
    st.one_of(
        st.none(),
        st.builds(
            look,
            size=st.integers(1, 2),
            mtime=st.integers(1, 2),
            lock=st.one_of(st.none(), st.floats(0, 700)),
        ),
    ),
)


@given(st.lists(step, max_size=40))
def test_ready_means_steady_and_unlocked_for_the_settling_time(steps):
    now, history = 0.0, []
    stability = Stability(Patience())
    for gap, seen in steps:
        now += gap
        history.append((now, seen))
        settled = stability.round({FILE: ("drop", seen)} if seen else {}, now)
        if settled.ready:
            within = [s for at, s in history if at > now - 2.0 + 1e-9]
            assert all(s == seen for s in within)
            assert all(s.lock_age_s is None or s.lock_age_s >= 600 for s in within if s)
            stability.taken(FILE)


@given(st.lists(step, max_size=20))
def test_whatever_came_before_a_quiet_unlocked_file_becomes_ready(steps):
    stability, now = Stability(Patience()), 0.0
    for gap, seen in steps:
        now += gap
        stability.round({FILE: ("drop", seen)} if seen else {}, now)

    stability.round({FILE: ("drop", look(9, 9, 9))}, now + 1)

    assert stability.round({FILE: ("drop", look(9, 9, 9))}, now + 3.001).ready == (FILE,)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("music (Anna's conflicted copy 2026-11-28).xlsx", "music.xlsx"),  # Dropbox
        ("music (conflicted copy 2026-11-28 101112).ods", "music.ods"),  # Nextcloud
        ("music (In Konflikt stehende Kopie von Anna 2026-11-28).xlsx", "music.xlsx"),
        ("music (Copie en conflit de Anna 2026-11-28) (1).xlsx", "music.xlsx"),
        ("music (SFConflict anna@example.org 2026-11-28-10-11-12).csv", "music.csv"),  # Seafile
        ("music.sync-conflict-20261128-101112-ABCDEF7.xlsx", "music.xlsx"),  # Syncthing
        ("music_conflict-20261128-101112.xlsx", "music.xlsx"),  # ownCloud
        ("music-DESKTOP-4F7K2QX.xlsx", "music.xlsx"),  # OneDrive
        ("music-LAPTOP-AB12CD34-2.xlsx", "music.xlsx"),
        ("music-ATTIC.xlsx", ""),
        ("music.xlsx", ""),
        ("Conflict.xlsx", ""),
        ("music (1).xlsx", ""),
        ("music-2026-11.xlsx", ""),
        ("music (Konfliktforschung.xlsx", ""),
    ],
)
def test_conflict_copies_are_known_by_their_names(name, other):
    assert conflict_copy_of(name) == other


def test_the_name_of_a_computer_tells_only_beside_the_other_file():
    beside = {"music.xlsx", "music-ATTIC.xlsx"}

    assert conflict_copy_of("music-ATTIC.xlsx", beside) == "music.xlsx"
    assert conflict_copy_of("music-Anna's MacBook Pro.xlsx", beside) == "music.xlsx"
    assert conflict_copy_of("music-2026.xlsx", beside) == ""
    assert conflict_copy_of("music-final.xlsx", beside) == ""
