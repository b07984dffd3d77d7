from django.urls import URLPattern, URLResolver, path

from contacts.api import contacts, docs
from contacts.api.me import MeEndpoint
from contacts.api.sources import SourceCountsEndpoint

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/schema", docs.Schema.as_view(), name="api_schema"),
    path("api/v1/docs", docs.page, name="api_docs"),
    path("api/v1/me", MeEndpoint.as_view(), name="api_me"),
    path("api/v1/contacts", contacts.Contacts.as_view(), name="api_contacts"),
    path("api/v1/contacts/bulk", contacts.ContactsInBulk.as_view(), name="api_contacts_bulk"),
    path("api/v1/contacts/lookup", contacts.ContactLookup.as_view(), name="api_contact_lookup"),
    path("api/v1/contacts/<uuid:public_id>", contacts.ContactDetail.as_view(), name="api_contact"),
    path("api/v1/sources/<slug:slug>/counts", SourceCountsEndpoint.as_view(), name="api_source_counts"),
]
