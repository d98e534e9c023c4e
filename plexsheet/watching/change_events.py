"""When to look at the folder: the system's events where they arrive, the clock where not.

Events do not arrive from network shares, from a host into a container, and where the
system's watches are used up.  That is found out three ways: the kind of file system, a
probe file nobody but us writes, and, at any time later, a change that a look found
although no event had come.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from plexsheet.watching.folder import OWN

# Between an event and the look: editors make dozens of them in one save.
GATHER_S = 0.1
LOOK_S = 10.0  # looks between events, in case one was lost
POLL_S = 2.0
PROBE_S = 2.0
# Looking may cost this share of a processor core at most.
SHARE = 0.003
REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "vboxsf", "prl_fs", "fuse.sshfs"}
    | {"fuse.rclone", "fuse.grpcfuse", "fuse.osxfs", "fuse.portal", "afpfs", "webdav", "davfs"}
)
TELLING = frozenset({"created", "modified", "moved", "deleted", "closed"})
QUIET_FOLDERS = ("working", "done", "failed", OWN)


class ChangeEvents(FileSystemEventHandler):
    """Wakes the watcher when something may have happened in the folder.

    Args:
        root: the watched folder.
        wake: set when there is reason to look.
        polling: do not even try the system's events.

    Attributes:
        polling: whether the clock alone is followed.
        why: why, in words; "" while events are used.
    """

    def __init__(self, root: Path, wake: threading.Event, *, polling: bool = False) -> None:
        self.root = root
        self.wake = wake
        self.polling = polling
        self.why = "as asked" if polling else ""
        self._observer: Any = None
        self._quiet = tuple(str(root / name) for name in QUIET_FOLDERS)
        self._first = True
        self._probe = root / OWN / "probe"
        self.announced = threading.Event()  # an event came since the last look
        self._probed = threading.Event()
        self._last_event = 0.0
        self._found_unannounced: float | None = None

    def start(self) -> None:
        """Begin to listen, or fall back to the clock."""
        if self.polling and self.why == "as asked":
            return
        self.polling, self.why, self._first = False, "", True
        kind = file_system(self.root)
        if kind in REMOTE:
            self._fall_back(f"{kind} does not announce changes")
            return
        # Watches that it registers twice as folders move: of no interest to people.
        warnings.filterwarnings("ignore", module=r"watchdog\b")
        observer = Observer()
        try:
            observer.schedule(self, str(self.root), recursive=True)
            observer.start()
        except OSError as error:
            self._fall_back(f"the system's watches cannot be used ({error.strerror or error})")
            return
        self._observer = observer
        if not self._answered():
            self._fall_back("the system does not announce changes here")

    def stop(self) -> None:
        """End listening."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5)
            self._observer = None

    def _answered(self) -> bool:
        self._probed.clear()
        try:
            self._probe.write_text(str(os.getpid()), encoding="ascii")
            return self._probed.wait(PROBE_S)
        except OSError:
            return True  # nothing can be written here now; the looks will tell
        finally:
            self._probe.unlink(missing_ok=True)

    def _fall_back(self, why: str) -> None:
        self.stop()
        self.polling, self.why, self._found_unannounced = True, why, None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by the observer's thread."""
        if event.event_type not in TELLING:  # opened, read: also by ourselves
            return
        paths = [str(path) for path in (event.src_path, event.dest_path) if path]
        if any(path == str(self._probe) for path in paths):
            self._probed.set()
        if all(self._is_quiet(path) for path in paths):
            return
        self._last_event = time.monotonic()
        self._found_unannounced = None
        self.announced.set()
        self.wake.set()

    def _is_quiet(self, path: str) -> bool:
        return any(path == quiet or path.startswith(quiet + os.sep) for quiet in self._quiet)

    def looked(self, began: float, *, news: bool, announced: bool) -> bool:
        """Tell of a look that found something new, or did not.

        Args:
            began: when the look began, on the monotonic clock.
            news: whether a file was there that the look before did not show.
            announced: whether an event had asked for the look.

        Returns:
            Whether polling has begun because events do not arrive.
        """
        first, self._first = self._first, False
        if self.polling or first:  # what was there at the start was not announced
            return False
        waited_for = self._found_unannounced
        if waited_for is not None and time.monotonic() - waited_for >= PROBE_S:
            self._fall_back("a file changed and the system did not announce it")
            return True
        if news and not announced and self._last_event < began - LOOK_S and waited_for is None:
            self._found_unannounced = time.monotonic()
        return False

    def next_look_s(self, processor_s: float, waiting_s: float = 0.0) -> float:
        """How long to wait for an event before looking anyway.

        Args:
            processor_s: processor time one look takes.
            waiting_s: how long it takes, waiting for the disk or the network included.
        """
        usual = POLL_S if self.polling else LOOK_S
        if self._found_unannounced is not None:
            usual = PROBE_S
        return max(usual, processor_s / SHARE, 5 * waiting_s)


def file_system(path: Path) -> str:
    """The kind of file system a path is on, as Linux names it; "" elsewhere."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        resolved = str(path.resolve())
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        fields = line.split(" ")
        mount = fields[1].replace("\\040", " ")
        inside = resolved == mount or resolved.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind
