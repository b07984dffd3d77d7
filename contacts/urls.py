from django.urls import URLPattern, URLResolver, path

from contacts.api.sources import SourceCountsView

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/sources/<slug:slug>/counts", SourceCountsView.as_view(), name="source_counts"),
]
