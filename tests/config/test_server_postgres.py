"""What PostgreSQL is started with follows the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import server_postgres


@pytest.mark.parametrize(
    ("gigabytes", "cache"), [(0.5, "128MB"), (8, "1024MB"), (24, "3072MB"), (256, "4096MB")]
)
def test_the_cache_is_an_eighth_of_the_memory_within_bounds(
    gigabytes: float, cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{int(gigabytes * 2**30)}\n")
    monkeypatch.setattr(server_postgres, "_CONTAINER_LIMIT", limit)
    monkeypatch.setattr(os, "sysconf", lambda _name: 2**20)

    assert server_postgres.sized()["shared_buffers"] == cache


def test_without_a_limit_the_machine_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(server_postgres, "_CONTAINER_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr(os, "sysconf", lambda name: 4096 if "SIZE" in name else 2 * 2**20)

    assert server_postgres.sized() == {"shared_buffers": "1024MB", "effective_cache_size": "4096MB"}
