from django.urls import URLPattern, URLResolver, path

from contacts.api import docs
from contacts.api.me import MeEndpoint
from contacts.api.sources import SourceCountsEndpoint

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/schema", docs.Schema.as_view(), name="api_schema"),
    path("api/v1/docs", docs.page, name="api_docs"),
    path("api/v1/me", MeEndpoint.as_view(), name="api_me"),
    path("api/v1/sources/<slug:slug>/counts", SourceCountsEndpoint.as_view(), name="api_source_counts"),
]
