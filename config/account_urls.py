"""Addresses for signing in and the second factor. Sign-up, email and password-reset pages are left out."""

from allauth.account import views
from django.urls import include, path

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("confirm/", views.reauthenticate, name="account_reauthenticate"),
    path("two-step/", include("allauth.mfa.urls")),
]
