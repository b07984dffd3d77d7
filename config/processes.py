"""Child processes that end with their parent, and the account that servers run under."""

import ctypes
import multiprocessing
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

Child = subprocess.Popen[bytes]
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Account(NamedTuple):
    uid: int
    gid: int

    def arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to run as this account; nothing where we already do."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give a file or folder to this account."""
        if path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)

    def may_run(self, program: Path) -> bool:
        """Whether the account reaches and starts `program` (any that knows --version)."""
        try:
            done = subprocess.run(
                [program, "--version"],
                check=False,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                **self.arguments(),
            )
        except OSError:
            return False
        return done.returncode == 0

    def may_write(self, folder: Path) -> bool:
        done = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$0" && test -w "$0"', folder],
            cwd="/",
            check=False,
            **self.arguments(),
        )
        return done.returncode == 0


def server_account(folder: Path) -> Account:
    """Ourselves; for root the owner of `folder`, or an ordinary account: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = folder.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LookupError("root needs an account named postgres or nobody to run PostgreSQL under")


def die_with_parent() -> None:
    """End this process at once when its parent ends, however hard that was."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:  # it died while we were starting
        os._exit(1)


def ends_with_parent(on_death: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `on_death` when the thread that spawned the child ends.

    So spawn from the main thread. Only Linux knows this; elsewhere a server outlives a killed parent and
    the next start adopts it.
    """
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return arrange


def spawn(
    command: Sequence[str | Path],
    *,
    on_parent_death: signal.Signals,
    account: Account | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
) -> Child:
    """Start a child in a session of its own: a Ctrl-C reaches us alone and we stop things in order."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=ends_with_parent(on_parent_death),  # noqa: PLW1509 (only system calls, prepared before)
        **(account.arguments() if account else {}),
    )


def stop(
    child: Child, how: signal.Signals, *, patience: float, then: signal.Signals = signal.SIGKILL
) -> None:
    """Ask politely, wait up to `patience` seconds, then insist."""
    if child.poll() is not None:
        return
    child.send_signal(how)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.send_signal(then)
        child.wait(30)
