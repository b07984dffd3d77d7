import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
def test_health_names_both_servers_when_they_answer(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"database": True, "broker": True, "log": True}


@pytest.mark.django_db
def test_a_missing_broker_does_not_turn_traffic_away(client: Client, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["broker"] is False
