from django.urls import URLPattern, URLResolver, path

from contacts import views
from contacts.api import (
    attributes,
    consents,
    contacts,
    dead_letters,
    docs,
    exports,
    happenings,
    imports,
    me,
    merges,
    segments,
    sources,
)
from contacts.api.privacy import PrivacyCopyEndpoint, PrivacyRequestEndpoint, PrivacyRequestsEndpoint

app_name = "contacts"
_contact = "api/v1/contacts/<uuid:public_id>"
urlpatterns: list[URLPattern | URLResolver] = [
    path("d/<str:token>", views.own_data, name="own_data"),
    path("d/<str:token>/copy", views.own_copy, name="own_copy"),
    path("d/<str:token>/erasure", views.own_erasure, name="own_erasure"),
    path("api/v1/imports", imports.Imports.as_view(), name="api_imports"),
    path("api/v1/imports/<uuid:key>", imports.ImportDetail.as_view(), name="api_import"),
    path("api/v1/imports/<uuid:key>/rejected", imports.ImportRejects.as_view(), name="api_import_rejects"),
    path("api/v1/exports", exports.Exports.as_view(), name="api_exports"),
    path("api/v1/exports/<uuid:key>", exports.ExportDetail.as_view(), name="api_export"),
    path("api/v1/exports/<uuid:key>/file", exports.ExportFile.as_view(), name="api_export_file"),
    path("api/v1/schema", docs.Schema.as_view(), name="api_schema"),
    path("api/v1/docs", docs.page, name="api_docs"),
    path("api/v1/privacy/requests", PrivacyRequestsEndpoint.as_view(), name="api_privacy_requests"),
    path(
        "api/v1/privacy/requests/<uuid:reference>",
        PrivacyRequestEndpoint.as_view(),
        name="api_privacy_request",
    ),
    path(
        "api/v1/privacy/requests/<uuid:reference>/copy",
        PrivacyCopyEndpoint.as_view(),
        name="api_privacy_copy",
    ),
    path("api/v1/me", me.MeEndpoint.as_view()),
    path("api/v1/contacts", contacts.Contacts.as_view()),
    path("api/v1/contacts/bulk", contacts.ContactsInBulk.as_view()),
    path("api/v1/contacts/lookup", contacts.ContactLookup.as_view()),
    path(_contact, contacts.ContactDetail.as_view()),
    path(f"{_contact}/events", happenings.ContactEvents.as_view()),
    path(f"{_contact}/consents", consents.ContactConsents.as_view()),
    path(f"{_contact}/consents/history", consents.ContactConsentHistory.as_view()),
    path("api/v1/attributes", attributes.Attributes.as_view()),
    path("api/v1/consents", consents.Consents.as_view()),
    path("api/v1/dead-letters", dead_letters.DeadLetters.as_view()),
    path("api/v1/dead-letters/replay", dead_letters.DeadLettersReplay.as_view()),
    path("api/v1/merges", merges.Merges.as_view()),
    path("api/v1/merges/<int:merge_id>/undo", merges.MergeUndo.as_view()),
    path("api/v1/segments", segments.Segments.as_view()),
    path("api/v1/segments/preview", segments.SegmentPreview.as_view()),
    path("api/v1/segments/<slug:slug>", segments.SegmentDetail.as_view()),
    path("api/v1/segments/<slug:slug>/members", segments.SegmentMembers.as_view()),
    path("api/v1/sources", sources.Sources.as_view()),
    path("api/v1/sources/<slug:slug>/counts", sources.SourceCountsEndpoint.as_view()),
]
