from pathlib import Path

import pytest
from celery import Celery
from django.contrib.auth.models import User
from django_celery_beat.models import PeriodicTask

from config import celery_app
from config.celery import PULSES, Pulse
from config.preparing import ensure_admin, ensure_pulses, ensure_write_key
from contacts import pulse
from contacts.models import SourceKey

pytestmark = pytest.mark.django_db


A, B = Pulse("a", "tried.tasks.a", 1), Pulse("b", "tried.tasks.b", 5)


def nothing() -> None: ...


def app_with(*pulses: Pulse) -> Celery:
    app = Celery("tried", set_as_current=False)
    for entry in pulses:
        app.task(name=entry.task, shared=False)(nothing)
    return app


def start_with(*present: Pulse) -> None:
    ensure_pulses(app_with(*present), [A, B])


def ticking() -> dict[str, int]:
    tasks = PeriodicTask.objects.filter(name__startswith="Pulse: ").select_related("interval")
    return {task.task: task.interval.every for task in tasks if task.interval}


def test_pulses_that_have_a_task_tick() -> None:
    start_with(B)
    assert ticking() == {B.task: 5}


def test_the_table_of_pulses_wins_at_each_start() -> None:
    start_with(A)
    PeriodicTask.objects.filter(task=A.task).update(task="tried.tasks.old")
    start_with(A)
    assert ticking() == {A.task: 1}


def test_a_pulse_that_was_switched_off_stays_off() -> None:
    start_with(A)
    PeriodicTask.objects.filter(task=A.task).update(enabled=False)
    start_with(A)
    assert not PeriodicTask.objects.get(task=A.task).enabled


def test_a_pulse_that_is_gone_no_longer_ticks() -> None:
    start_with(A, B)
    start_with(B)
    assert ticking() == {B.task: 5}


def test_other_periodic_tasks_are_left_alone() -> None:
    start_with(A)
    interval = PeriodicTask.objects.get(task=A.task).interval
    PeriodicTask.objects.create(name="Nightly export", task="tried.tasks.x", interval=interval)
    start_with()
    assert PeriodicTask.objects.get().name == "Nightly export"


def test_names_of_pulses_are_unique_and_can_be_woken() -> None:
    names = [entry.name for entry in PULSES]
    assert len(set(names)) == len(names)
    assert set(celery_app.conf["pulses"]) == set(names)
    with pytest.raises(LookupError):
        pulse.wake("nobody")


def test_every_task_of_ours_ticks_and_every_pulse_has_one() -> None:
    celery_app.loader.import_default_modules()
    ours = {
        name
        for name in celery_app.tasks
        if name.split(".")[0] in {"contacts", "channels", "journeys", "analytics"}
    }
    assert ours == {entry.task for entry in PULSES}


def test_the_first_administrator_is_made_once(tmp_path: Path) -> None:
    password = ensure_admin(tmp_path / "password")
    assert password
    assert User.objects.get(username="admin").check_password(password)
    assert ensure_admin(tmp_path / "password") == password
    assert User.objects.count() == 1


def test_a_changed_password_is_not_shown_any_more(tmp_path: Path) -> None:
    ensure_admin(tmp_path / "password")
    user = User.objects.get(username="admin")
    user.set_password("something else")
    user.save()
    assert ensure_admin(tmp_path / "password") is None


def test_an_administrator_of_ones_own_is_respected(tmp_path: Path) -> None:
    User.objects.create_superuser("boss", "", "secret")
    assert ensure_admin(tmp_path / "password") is None
    assert User.objects.count() == 1


def test_the_key_to_try_the_intake_with_stays_the_same(tmp_path: Path) -> None:
    key = ensure_write_key(tmp_path / "key")
    assert ensure_write_key(tmp_path / "key") == key
    assert SourceKey.objects.get().source.slug == "first-steps"
