from django.urls import URLPattern, URLResolver, path

from channels import views, webhooks

app_name = "channels"
urlpatterns: list[URLPattern | URLResolver] = [
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("hooks/email/<int:account_id>", webhooks.email_report, name="email_report"),
    path("hooks/sms/<int:account_id>", webhooks.sms_report, name="sms_report"),
    path("hooks/sms-in/<int:account_id>", webhooks.sms_incoming, name="sms_incoming"),
    path("push/key", webhooks.push_key, name="push_key"),
    path("push/subscribe", webhooks.push_subscribe, name="push_subscribe"),
    path("segue-sw.js", views.service_worker, name="service_worker"),
    path("c/<str:token>", views.confirm, name="confirm"),
    path("brand/logo", views.logo, name="logo"),
    path("p/<str:token>", views.preference_centre, name="preferences"),
]
