"""When the folder is looked at: by events where they arrive, by the clock where they do not."""

from __future__ import annotations

import threading
import time
import warnings
from pathlib import Path

import pytest

from plexsheet.watching import change_events as module
from plexsheet.watching.change_events import ChangeEvents
from plexsheet.watching.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "workbooks")
    made.prepare()
    return made


@pytest.fixture
def listening(folder):
    wake = threading.Event()
    changes = ChangeEvents(folder.root, wake)
    changes.start()
    yield changes
    changes.stop()


def heard_all(changes: ChangeEvents) -> None:
    """Wait until every event so far was told: they come in order, the probe's last."""
    changes._probed.clear()
    changes._probe.write_text("x")
    assert changes._probed.wait(60)


def test_an_event_wakes_without_waiting_for_the_next_look(folder, listening):
    assert not listening.polling

    (folder.inbox / "a.xlsx").write_text("x")

    assert listening.announced.wait(60)
    assert listening.wake.is_set()


def test_what_the_watcher_does_itself_does_not_wake_it(folder, listening):
    heard_all(listening)
    listening.announced.clear()

    for place in (folder.working, folder.done, folder.failed, folder.own):
        (place / "a.xlsx").write_text("x")
        (place / "a.xlsx").unlink()
    (folder.root / "results").stat()

    heard_all(listening)
    assert not listening.announced.is_set()


def test_reading_a_file_does_not_wake_it(folder, listening):
    (folder.inbox / "a.xlsx").write_text("x")
    heard_all(listening)
    assert listening.announced.is_set()
    listening.announced.clear()

    (folder.inbox / "a.xlsx").read_bytes()

    heard_all(listening)
    assert not listening.announced.is_set()


def test_a_folder_named_like_ours_with_more_to_it_does_wake_it(folder, listening):
    heard_all(listening)
    listening.announced.clear()

    (folder.root / "done with it").mkdir()
    (folder.root / "done with it" / "a.xlsx").write_text("x")

    assert listening.announced.wait(60)


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
    changes = ChangeEvents(folder.root, threading.Event())

    changes.start()

    assert changes.polling
    assert "does not announce" in changes.why


def test_a_folder_where_the_probe_is_not_announced_is_polled(folder, monkeypatch):
    class Deaf(module.Observer):
        """A real observer that is not told of anything, as on a share the system does not know."""

        def schedule(self, *args, **options):
            return None

    monkeypatch.setattr(module, "Observer", Deaf)
    monkeypatch.setattr(module, "PROBE_S", 0.2)
    changes = ChangeEvents(folder.root, threading.Event())

    changes.start()

    assert changes.polling
    assert changes.why == "the system does not announce changes here"
    assert not changes._probe.exists()
    assert changes._observer is None


def test_a_slow_folder_is_looked_at_less_often(folder):
    changes = ChangeEvents(folder.root, threading.Event(), polling=True)

    assert changes.next_look_s(0.003) == module.POLL_S
    assert changes.next_look_s(3.0) == pytest.approx(1000)


def test_asked_to_poll_it_does_not_listen(folder):
    wake = threading.Event()
    changes = ChangeEvents(folder.root, wake, polling=True)
    changes.start()

    (folder.inbox / "a.xlsx").write_text("x")

    assert not wake.wait(0.3)
    changes.stop()


def test_warnings_of_the_library_that_listens_are_not_for_people(listening):
    # Warnings are errors here.
    warnings.warn_explicit("already exists", RuntimeWarning, "x.py", 1, "watchdog.observers.x")

    with pytest.raises(RuntimeWarning, match="ours"):
        warnings.warn_explicit("ours", RuntimeWarning, "y.py", 1, "plexsheet.watching")
