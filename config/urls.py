from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.health import healthz

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("contacts.urls")),
    path("", include("channels.urls")),
    path("", include("journeys.urls")),
    path("", include("analytics.urls")),
]
