from pathlib import Path

import pytest

from config import env
from config.env import BadSetting


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("SEGUE_TRIED", raising=False)
    return "SEGUE_TRIED"


def test_an_unset_variable_gives_the_default(variable: str) -> None:
    assert env.text(variable, "a") == "a"
    assert env.flag(variable, True) is True
    assert env.number(variable, 7) == 7
    assert env.words(variable, ["a"]) == ["a"]


@pytest.mark.parametrize(("value", "meaning"), [("yes", True), ("1", True), ("OFF", False), ("false", False)])
def test_a_flag_knows_the_usual_words(
    variable: str, monkeypatch: pytest.MonkeyPatch, value: str, meaning: bool
) -> None:
    monkeypatch.setenv(variable, value)
    assert env.flag(variable, not meaning) is meaning


@pytest.mark.parametrize("value", ["many", "1.5", "0", "70000"])
def test_a_bad_number_names_its_variable(variable: str, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSetting, match=f"{variable}='{value}'"):
        env.number(variable, 1, least=1, most=65535)


def test_a_bad_flag_names_its_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "perhaps")
    with pytest.raises(BadSetting, match=variable):
        env.flag(variable, True)


def test_words_are_split_at_commas(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "a.example, b.example,")
    assert env.words(variable, []) == ["a.example", "b.example"]


def test_a_secret_is_made_once_and_hidden(variable: str, tmp_path: Path) -> None:
    file = tmp_path / "home" / "secret"
    first = env.secret(variable, file)
    assert len(first) >= 50
    assert env.secret(variable, file) == first
    assert file.stat().st_mode & 0o077 == 0


def test_a_given_secret_must_be_long(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(variable, "short")
    with pytest.raises(BadSetting, match="32"):
        env.secret(variable, tmp_path / "secret")


def test_a_database_address_becomes_djangos_settings() -> None:
    found = env.database(
        "DATABASE_URL", "postgresql://me:p%40ss@db.example:6432/shop?sslmode=require", pool=0, idle=9
    )
    assert found["NAME"] == "shop"
    assert found["USER"] == "me"
    assert found["PASSWORD"] == "p@ss"
    assert (found["HOST"], found["PORT"]) == ("db.example", "6432")
    limit = "-c idle_in_transaction_session_timeout=9s"
    assert found["OPTIONS"] == {"sslmode": "require", "options": limit}
    address = "postgresql://me@db/shop?options=-c%20idle_in_transaction_session_timeout%3D0"
    own = env.database("DATABASE_URL", address, pool=0, idle=9)["OPTIONS"]["options"]
    assert own == f"{limit} -c idle_in_transaction_session_timeout=0"


def test_a_pool_takes_the_place_of_kept_connections() -> None:
    found = env.database("DATABASE_URL", "postgresql://me@db/shop", pool=8, idle=9)
    assert found["CONN_MAX_AGE"] == 0
    assert found["OPTIONS"]["pool"]["max_size"] == 8


@pytest.mark.parametrize(
    "address", ["mysql://me@db/shop", "postgresql://me:secret@db", "postgresql://me@db:x/shop"]
)
def test_a_bad_database_address_is_refused_without_showing_its_password(address: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL") as caught:
        env.database("DATABASE_URL", address, pool=0, idle=9)
    assert "secret" not in str(caught.value)
