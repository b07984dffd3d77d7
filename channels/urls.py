from django.urls import URLPattern, URLResolver, path

from channels import views

app_name = "channels"
urlpatterns: list[URLPattern | URLResolver] = [
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", views.preference_centre, name="preferences"),
]
