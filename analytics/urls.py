from django.urls import URLPattern, URLResolver, path

from analytics.api.choice import SmartChoice

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/reports/smart-choice", SmartChoice.as_view(), name="api_smart_choice"),
]
