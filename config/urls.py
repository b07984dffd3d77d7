from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import metrics, web_sdk
from config.admin import promises as promises_page
from config.admin import register, setup, tracking_domain
from config.api import promises, segments, timeline
from config.health import healthz, livez, readyz
from contacts.api.errors import no_such_endpoint

# People sign in at one place, where tries are counted and a second factor is asked for.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics.page, name="metrics"),
    path("sdk/segue.js", web_sdk.script, name="web_sdk"),
    path("sdk/survey.js", web_sdk.survey, name="web_sdk_survey"),
    path("admin/setup/", admin.site.admin_view(setup.page), name="setup"),
    path("admin/register/", admin.site.admin_view(register.page), name="register"),
    path("admin/promises/", admin.site.admin_view(promises_page.page), name="promises"),
    path("admin/promises/settle/", admin.site.admin_view(promises_page.settle), name="promises_settle"),
    path("admin/tracking-domain/", admin.site.admin_view(tracking_domain.page), name="tracking_domain"),
    path("admin/", admin.site.urls),
    path("account/", include("config.account_urls")),
    path("", include("contacts.urls")),
    path("", include("channels.urls")),
    path("", include("journeys.urls")),
    path("", include("analytics.urls")),
    # One segment and one contact's timeline: what several apps know together.
    path("api/v1/segments/<slug:slug>", segments.SegmentWithUses.as_view()),
    path("api/v1/contacts/<uuid:public_id>/timeline", timeline.ContactTimeline.as_view()),
    path("api/v1/promises", promises.Promises.as_view()),
    path("api/<path:path>", no_such_endpoint),
]
