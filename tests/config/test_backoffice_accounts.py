from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings as installed
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, override_settings
from django.urls import NoReverseMatch, reverse

from config import roles
from tests.config.backoffice import PASSWORD, make_person, signed_in

pytestmark = pytest.mark.django_db

LOGIN = "/account/login/"


def sign_in(client: Client, name: str, password: str = PASSWORD) -> int:
    return client.post(f"{LOGIN}?next=/admin/", {"login": name, "password": password}).status_code


def test_the_back_office_sends_strangers_to_the_sign_in_page() -> None:
    answer = Client().get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith(LOGIN)


@pytest.mark.parametrize("login", ["ada", "ada@example.com"])
def test_a_person_signs_in_by_name_or_email(login: str) -> None:
    make_person("ada", superuser=True)
    client = Client()

    assert sign_in(client, login) == 302
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_and_an_unknown_name_read_the_same() -> None:
    make_person("ada")
    wrong = Client().post(LOGIN, {"login": "ada", "password": "wrong"})
    unknown = Client().post(LOGIN, {"login": "nobody", "password": "wrong"})

    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert wrong.status_code == unknown.status_code == 200


def test_after_five_failures_even_the_right_password_has_to_wait() -> None:
    make_person("ada", superuser=True)
    client = Client()
    for _attempt in range(5):
        client.post(LOGIN, {"login": "ada", "password": "wrong"})

    client.post(LOGIN, {"login": "ada", "password": PASSWORD})

    assert client.get("/admin/").status_code == 302


def test_failures_of_one_person_do_not_lock_out_another() -> None:
    make_person("ada")
    make_person("bob", superuser=True)
    for _attempt in range(6):
        Client().post(LOGIN, {"login": "ada", "password": "wrong"})
    client = Client()

    assert sign_in(client, "bob") == 302
    assert client.get("/admin/").status_code == 200


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one() -> None:
    ada = make_person("ada", superuser=True)
    here, elsewhere = signed_in(ada), signed_in(ada)
    new = "another-long-Password-43"

    here.post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )

    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def test_a_person_who_is_switched_off_is_out_at_the_next_click() -> None:
    ada = make_person("ada", superuser=True)
    client = signed_in(ada)
    ada.is_active = False
    ada.save()

    assert client.get("/admin/").status_code == 302


def test_a_role_taken_away_is_gone_at_the_next_click() -> None:
    ada = make_person("ada", role=roles.ANALYST)
    client = signed_in(ada)
    assert client.get("/admin/contacts/contact/").status_code == 200

    ada.groups.clear()

    assert client.get("/admin/contacts/contact/").status_code == 403


def test_someone_without_back_office_access_gets_a_plain_refusal() -> None:
    answer = signed_in(make_person("ada", staff=False)).get("/admin/", follow=True)

    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["account_signup", "account_reset_password", "account_email"])
def test_there_is_no_page_to_sign_up_or_reset_by_mail(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_next_never_leads_to_a_foreign_site() -> None:
    make_person("ada", superuser=True)

    answer = Client().post(f"{LOGIN}?next=https://evil.example/", {"login": "ada", "password": PASSWORD})

    assert answer.headers["Location"] == "/admin/"


def current_code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def test_with_a_second_factor_the_password_alone_opens_nothing() -> None:
    ada = make_person("ada", superuser=True)
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(ada, secret)
    client = Client()
    sign_in(client, "ada")
    assert client.get("/admin/").status_code == 302

    client.post("/account/two-step/authenticate/", {"code": "000000"})
    assert client.get("/admin/").status_code == 302

    client.post("/account/two-step/authenticate/", {"code": current_code(secret)})
    assert client.get("/admin/").status_code == 200


def test_the_secret_of_the_second_factor_is_unreadable_in_the_database() -> None:
    ada = make_person("ada")
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")

    assert "JBSWY3DPEHPK3PXP" not in str(Authenticator.objects.get(user=ada).data)


def test_a_secret_survives_a_new_secret_key() -> None:
    ada = make_person("ada")
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    authenticator = Authenticator.objects.get(user=ada)

    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[installed.SECRET_KEY]):
        assert authenticator.wrap().validate_code(current_code("JBSWY3DPEHPK3PXP"))


def test_an_admin_who_is_no_superuser_cannot_touch_a_superuser() -> None:
    root = make_person("root", superuser=True)
    client = signed_in(make_person("ada", role=roles.ADMIN))

    page = client.get(f"/admin/auth/user/{root.pk}/change/")
    client.post(f"/admin/auth/user/{root.pk}/password/", {"password1": "x", "password2": "x"})
    root.refresh_from_db()

    assert b'name="is_superuser"' not in page.content
    assert root.check_password(PASSWORD)


def test_a_person_who_is_added_can_sign_in_to_the_back_office() -> None:
    boss = signed_in(make_person("root", superuser=True))
    words = {"username": "bea", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    boss.post("/admin/auth/user/add/", words)

    bea = User.objects.get(username="bea")
    assert (bea.is_staff, bea.is_superuser, bea.groups.count()) == (True, False, 0)
    assert signed_in(bea).get("/admin/").status_code == 200


def test_an_admin_cannot_make_a_superuser() -> None:
    ada = make_person("ada", role=roles.ADMIN)
    client = signed_in(ada)

    client.post(
        f"/admin/auth/user/{ada.pk}/change/",
        {"username": "ada", "is_active": "on", "is_staff": "on", "is_superuser": "on"},
    )
    ada.refresh_from_db()

    assert not ada.is_superuser


def test_roles_can_be_made_again_without_taking_what_was_added_by_hand() -> None:
    roles.ensure()
    extra = Permission.objects.get(codename="add_group")
    analyst = Group.objects.get(name=roles.ANALYST)
    analyst.permissions.add(extra)

    roles.ensure()

    assert extra in analyst.permissions.all()
    assert set(Group.objects.values_list("name", flat=True)) == {*roles.TABLE, roles.ADMIN}


def test_a_person_is_added_with_their_role_at_once() -> None:
    roles.ensure()
    role = Group.objects.get(name=roles.ANALYST)
    client = signed_in(make_person("root", superuser=True))
    page = client.get("/admin/auth/user/add/").content.decode()
    given = {
        "username": "nora", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
        "groups": [role.pk],
    }  # fmt: skip

    client.post("/admin/auth/user/add/", given)

    assert 'name="groups"' in page
    assert list(User.objects.get(username="nora").groups.all()) == [role]


def test_the_pages_of_roles_are_called_roles() -> None:
    roles.ensure()
    client = signed_in(make_person("root", superuser=True))

    for address in ("/admin/auth/group/", f"/admin/auth/group/{Group.objects.first().pk}/change/"):  # type: ignore[union-attr]
        page = client.get(address).content.decode()
        way = page.partition('id="header-inner"')[2].partition("</h1>")[0]
        assert "Roles" in way
        assert "Authentication" not in way
