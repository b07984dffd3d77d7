"""An endpoint that exists in tests only, on the blocks that all are made of."""

from __future__ import annotations

from typing import Any

from django.db import OperationalError
from django.urls import path
from rest_framework import serializers

from contacts.api.endpoint import Call, Endpoint, operation
from contacts.api.fields import Fields
from contacts.models import Source


class Filters(Fields):
    name = serializers.CharField(required=False)
    active = serializers.BooleanField(required=False)


class Thing(Fields):
    name = serializers.CharField(max_length=20)
    slug = serializers.SlugField()
    then = serializers.ChoiceField(choices=["fail", "away"], required=False)


class Things(Endpoint):
    scopes = {"GET": "sources:read", "POST": "sources:write"}

    @operation("list_things", "Things", query=Filters, answer=Thing, paged=True)
    def get(self, call: Call) -> Any:
        rows = Source.objects.filter(**{name: call.query[name] for name in ("active",) if name in call.query})
        return call.page(rows, ("kind", "-id"), lambda found: [one.slug for one in found])

    @operation("make_thing", "Make a thing", body=Thing, answer=Thing, status=201)
    def post(self, call: Call) -> Any:
        source = Source.objects.create(name=call.body["name"], slug=call.body["slug"])
        call.audit(source, "made")
        match call.body.get("then"):
            case "fail":
                raise ZeroDivisionError
            case "away":
                raise OperationalError("gone")
        return {"slug": source.slug, "id": source.pk}


urlpatterns = [path("api/v1/things", Things.as_view())]
