import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection

from contacts.group_commit import GroupCommit, InboxWriter, StoreDown, connect
from contacts.intake import Row
from contacts.models import InboxItem
from tests.contacts.sender import NOW


def row(text: str = "x") -> Row:
    return Row(1, 1, NOW, "", text.encode())


class Paper:
    """A writer that keeps what it is given, and can be held, or told to fail."""

    def __init__(self) -> None:
        self.groups: list[list[Sequence[Row]]] = []
        self.may_write = threading.Event()
        self.may_write.set()
        self.fault: Callable[[Sequence[Sequence[Row]]], Exception | None] = lambda _groups: None

    def write(self, groups: Sequence[Sequence[Row]]) -> None:
        assert self.may_write.wait(5)
        fault = self.fault(groups)
        if fault:
            raise fault
        self.groups.append(list(groups))

    def close(self) -> None:
        pass

    def texts(self) -> list[str]:
        return [row.payload.decode() for group in self.groups for rows in group for row in rows]


def test_callers_that_wait_together_share_one_commit() -> None:
    paper = Paper()
    commit = GroupCommit(paper)
    paper.may_write.clear()
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(commit.store, [row(str(number))]) for number in range(20)]
        while commit.waiting < 20:
            pass
        assert not any(future.done() for future in waiting[1:])
        paper.may_write.set()
        for future in waiting:
            future.result(5)
    commit.close()
    assert sorted(paper.texts(), key=int) == [str(number) for number in range(20)]
    assert len(paper.groups) <= 3


def test_nobody_is_released_before_the_commit() -> None:
    paper = Paper()
    commit = GroupCommit(paper)
    paper.may_write.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(commit.store, [row()])
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        paper.may_write.set()
        waiting.result(5)
    commit.close()


@pytest.mark.parametrize("fault", [psycopg.OperationalError("gone"), psycopg.errors.DiskFull("no space")])
def test_a_failing_store_tells_all_who_wait_and_recovers_by_itself(fault: Exception) -> None:
    paper = Paper()
    commit = GroupCommit(paper)
    paper.fault = lambda _groups: fault
    with pytest.raises(StoreDown):
        commit.store([row()])
    paper.fault = lambda _groups: None
    with pytest.raises(StoreDown):
        commit.store([row()])  # within the pause nothing is tried
    threading.Event().wait(0.3)
    commit.store([row("back")])
    commit.close()
    assert paper.texts() == ["back"]


def test_a_store_that_hangs_is_given_up_in_time() -> None:
    paper = Paper()
    commit = GroupCommit(paper, patience=0.1)
    paper.may_write.clear()
    with pytest.raises(StoreDown, match="slow"):
        commit.store([row()])
    paper.may_write.set()
    commit.close()


def test_the_queue_is_bounded() -> None:
    paper = Paper()
    commit = GroupCommit(paper, patience=0.1, most_waiting=3)
    paper.may_write.clear()
    with pytest.raises(StoreDown, match="slow"):
        commit.store([row()] * 3)
    with pytest.raises(StoreDown, match="too much"):
        commit.store([row()])
    paper.may_write.set()
    commit.close()
    assert commit.waiting == 0


def test_rows_that_the_store_refuses_cost_only_their_own_request() -> None:
    paper = Paper()
    commit = GroupCommit(paper)

    def poisoned(groups: Sequence[Sequence[Row]]) -> Exception | None:
        bad = any(row.payload == b"bad" for rows in groups for row in rows)
        return psycopg.DataError("bad") if bad else None

    paper.fault = poisoned
    paper.may_write.clear()
    with ThreadPoolExecutor(5) as pool:
        waiting = {text: pool.submit(commit.store, [row(text)]) for text in ("a", "b", "bad", "c", "d")}
        while commit.waiting < 5:
            pass
        paper.may_write.set()
        with pytest.raises(StoreDown):
            waiting.pop("bad").result(5)
        for future in waiting.values():
            future.result(5)
    commit.close()
    assert sorted(paper.texts()) == ["a", "b", "c", "d"]


def test_the_next_pulse_is_woken_after_a_commit_and_only_then() -> None:
    paper = Paper()
    woken: list[int] = []
    commit = GroupCommit(paper, after_commit=lambda: woken.append(len(paper.groups)))
    paper.fault = lambda _groups: psycopg.InternalError("no")
    with pytest.raises(StoreDown):
        commit.store([row()])
    assert woken == []
    paper.fault = lambda _groups: None
    commit.store([row()])
    commit.close()
    assert woken == [1]


@pytest.mark.django_db(transaction=True)
class TestInboxWriter:
    def test_rows_are_committed_and_visible_to_others_once_the_caller_returns(self) -> None:
        commit = GroupCommit(InboxWriter())
        commit.store([Row(3, 5, NOW, "code: why", b"\x00\xff"), Row(63, 5, NOW, "", b"{}")])
        items = list(InboxItem.objects.order_by("id"))
        assert [(item.lane, item.source_id, item.rejection) for item in items] == [
            (3, 5, "code: why"),
            (63, 5, ""),
        ]
        assert bytes(items[0].payload) == b"\x00\xff"
        assert items[0].received_at == NOW
        commit.close()

    def test_a_killed_connection_is_replaced(self) -> None:
        ours = (
            "FROM pg_stat_activity WHERE application_name = 'segue-intake' AND datname = current_database()"
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pid {ours}")
            others = [pid for (pid,) in cursor.fetchall()]
            commit = GroupCommit(InboxWriter())
            commit.store([row("before")])
            cursor.execute(f"SELECT pg_terminate_backend(pid) {ours} AND pid <> ALL(%s::int[])", [others])
        with pytest.raises(StoreDown):
            commit.store([row("lost, and the caller knows")])
        threading.Event().wait(0.3)
        commit.store([row("after")])
        commit.close()
        payloads = [bytes(payload) for payload in InboxItem.objects.values_list("payload", flat=True)]
        assert sorted(payloads) == [b"after", b"before"]

    def test_commits_are_durable_whatever_the_database_prefers(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit = off'
            )
        try:
            with connect() as own:
                assert own.execute("SHOW synchronous_commit").fetchone() == ("on",)
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    f'ALTER DATABASE "{connection.settings_dict["NAME"]}" RESET synchronous_commit'
                )
