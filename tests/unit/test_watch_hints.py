"""When the folder is looked at: by events where they arrive, by the clock where they do not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from plexsheet.watching import hints as module
from plexsheet.watching.folder import Folder
from plexsheet.watching.hints import Hints


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "workbooks")
    made.prepare()
    return made


@pytest.fixture
def listening(folder):
    wake = threading.Event()
    hints = Hints(folder.root, wake)
    hints.start()
    yield hints
    hints.stop()


def test_a_save_wakes_at_once(folder, listening):
    assert not listening.polling
    began = time.monotonic()

    (folder.inbox / "a.xlsx").write_text("x")

    assert listening.announced.wait(5)
    assert time.monotonic() - began < 1


def test_what_the_watcher_does_itself_does_not_wake_it(folder, listening):
    time.sleep(0.2)
    listening.announced.clear()

    for place in (folder.working, folder.done, folder.failed, folder.own):
        (place / "a.xlsx").write_text("x")
        (place / "a.xlsx").unlink()
    (folder.root / "results").stat()

    assert not listening.announced.wait(0.5)


def test_reading_a_file_does_not_wake_it(folder, listening):
    (folder.inbox / "a.xlsx").write_text("x")
    listening.announced.wait(5)
    time.sleep(0.3)
    listening.announced.clear()

    (folder.inbox / "a.xlsx").read_bytes()

    assert not listening.announced.wait(0.5)


def test_a_folder_named_like_ours_with_more_to_it_does_wake_it(folder, listening):
    time.sleep(0.2)
    listening.announced.clear()

    (folder.root / "done with it").mkdir()
    (folder.root / "done with it" / "a.xlsx").write_text("x")

    assert listening.announced.wait(5)


def test_a_change_without_an_event_leads_to_polling(folder, listening, monkeypatch):
    monkeypatch.setattr(module, "PROBE_S", 0.1)
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    listening._observer.unschedule_all()  # as on a share changed from elsewhere
    listening.looked(time.monotonic(), news=False, announced=False)
    (folder.inbox / "a.xlsx").write_text("x")

    first = listening.looked(time.monotonic(), news=True, announced=False)
    time.sleep(0.2)
    second = listening.looked(time.monotonic(), news=False, announced=False)

    assert (first, second) == (False, True)
    assert listening.polling
    assert "did not announce" in listening.why
    assert listening.next_look_s(0.001) == module.POLL_S


def test_files_found_at_the_start_are_no_sign_of_missing_events(folder, listening, monkeypatch):
    monkeypatch.setattr(module, "PROBE_S", 0.0)

    listening.looked(time.monotonic() + 100, news=True, announced=False)
    listening.looked(time.monotonic() + 100, news=False, announced=False)

    assert not listening.polling


def test_a_file_system_known_not_to_announce_is_polled_from_the_start(folder, monkeypatch):
    monkeypatch.setattr(module, "REMOTE", {module.file_system(folder.root)})
    hints = Hints(folder.root, threading.Event())

    hints.start()

    assert hints.polling
    assert "does not announce" in hints.why


def test_a_slow_folder_is_looked_at_less_often(folder):
    hints = Hints(folder.root, threading.Event(), polling=True)

    assert hints.next_look_s(0.003) == module.POLL_S
    assert hints.next_look_s(3.0) == pytest.approx(1000)


def test_asked_to_poll_it_does_not_listen(folder):
    wake = threading.Event()
    hints = Hints(folder.root, wake, polling=True)
    hints.start()

    (folder.inbox / "a.xlsx").write_text("x")

    assert not wake.wait(0.3)
    hints.stop()
