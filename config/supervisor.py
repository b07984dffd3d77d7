"""One process that keeps web, worker and beat running, shows what they say, and ends them in order.

A single thread reads all output and looks after all children, so each child is tied to this process: when it
is killed, however hard, the kernel ends the children too.
"""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, NamedTuple

from config.processes import Child, spawn

_LOOK_EVERY = 0.25
_SERVERS_EVERY = 1.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_STEADY_AFTER = 30.0
"Seconds a program has to live for its next restart to be quick again."
_PATIENCE = 10.0
"Seconds that programs get to finish what they are doing."
_COLOURS = (36, 35, 33, 32, 34, 31)


class Program(NamedTuple):
    """A command to keep running; `name` stands before each line it writes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class Running:
    program: Program
    child: Child
    output: int
    "The reading end of a pipe."
    started_at: float
    rest: bytes = b""
    "The beginning of a line whose end has not come yet."

    def alive(self) -> bool:
        return self.child.poll() is None

    def lines(self) -> list[str]:
        """What was written since the last time, as whole lines."""
        try:
            chunk = os.read(self.output, 65536)
        except BlockingIOError:
            return []
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in lines if line.strip()]


class Screen:
    """Lines of several programs, each behind its name."""

    def __init__(self, names: Sequence[str], out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._width = max(len(name) for name in names)
        self._coloured = self._out.isatty() and "NO_COLOR" not in os.environ
        self._colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        label = f"{name:<{self._width}} │"
        if self._coloured:
            label = f"\033[{self._colours.get(name, 37)}m{label}\033[0m"
        self._out.write(f"{label} {text}\n")
        self._out.flush()


class Supervisor:
    def __init__(self, programs: Sequence[Program], *, look_after: Callable[[], bool]) -> None:
        """`look_after` is called every second for what lies beneath (the servers); it answers whether their
        addresses changed, in which case all programs start anew."""
        self._programs = programs
        self._look_after = look_after
        self._screen = Screen([*(program.name for program in programs), "segue"])
        self._selector = selectors.DefaultSelector()
        self._running: dict[str, Running] = {}
        self._due = {program.name: 0.0 for program in programs}
        self._pause = {program.name: _FIRST_PAUSE for program in programs}
        self._asked_to_stop = 0

    def run(self, when_ready: Callable[[], bool]) -> None:
        """Until a signal comes. `when_ready` is asked again and again until it says True."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_asked)
        ready, next_look = False, time.monotonic() + _SERVERS_EVERY
        try:
            while not self._asked_to_stop:
                self._start_what_is_due(time.monotonic())
                self._show_output(_LOOK_EVERY)
                self._notice_ends(time.monotonic())
                ready = ready or when_ready()
                if time.monotonic() > next_look:
                    if self._look_after():
                        self.stop()
                    next_look = time.monotonic() + _SERVERS_EVERY
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask all programs at once, from the last to the first; insist after a while or a second signal."""
        asked_before = self._asked_to_stop
        for running in reversed(self._running.values()):
            running.child.send_signal(signal.SIGTERM)
        insist_at = time.monotonic() + _PATIENCE
        while alive := [running for running in self._running.values() if running.alive()]:
            self._show_output(0.05)
            if time.monotonic() > insist_at or self._asked_to_stop > max(asked_before, 1):
                for running in alive:
                    running.child.kill()
        for name in list(self._running):
            self._forget(name)
            self._due[name] = 0.0

    def _start_what_is_due(self, now: float) -> None:
        for program in self._programs:
            if program.name in self._running or self._due[program.name] > now:
                continue
            output, write_end = os.pipe()
            os.set_blocking(output, False)
            child = spawn(
                program.command,
                # Not a polite signal: a parent that was killed cannot wait for anybody to finish.
                on_parent_death=signal.SIGKILL,
                environment=os.environ | program.environment,
                output=write_end,
            )
            os.close(write_end)
            self._running[program.name] = running = Running(program, child, output, now)
            self._selector.register(output, selectors.EVENT_READ, running)

    def _show_output(self, wait: float) -> None:
        if not self._running:
            time.sleep(wait)
        for key, _ in self._selector.select(wait):
            self._show(key.data)

    def _show(self, running: Running) -> None:
        for line in running.lines():
            self._screen.line(running.program.name, line)

    def _notice_ends(self, now: float) -> None:
        for name, running in list(self._running.items()):
            if running.alive():
                continue
            if now - running.started_at > _STEADY_AFTER:
                self._pause[name] = _FIRST_PAUSE
            pause = self._pause[name]
            self._forget(name)
            how = _how(running.child.returncode)
            self._screen.line("segue", f"{name} ended ({how}); starting it again in {pause:g} s")
            self._due[name] = now + pause
            self._pause[name] = min(pause * 2, _LONGEST_PAUSE)

    def _forget(self, name: str) -> None:
        running = self._running.pop(name)
        self._show(running)
        self._selector.unregister(running.output)
        os.close(running.output)

    def _stop_asked(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop += 1


def _how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
