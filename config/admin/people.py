"""People who sign in, and their roles."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import AbstractBaseUser, Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister([User, Group, EmailAddress, Authenticator])


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    """People who sign in. Only a superuser may touch another superuser or make one."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "roles", "is_active", "last_login"]
    list_filter = ["is_active", "is_superuser", "groups"]
    filter_horizontal = ["groups"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "groups", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["username", "usable_password", "password1", "password2"]}),
        (_("Access"), {"fields": ["groups"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["forget_second_factor"]

    @admin.action(description=_("Switch off two-step sign-in (device lost)"), permissions=["change"])
    def forget_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        allowed = [person for person in people if self.has_change_permission(request, person)]
        Authenticator.objects.filter(user__in=allowed).delete()
        for person in allowed:
            self.log_change(request, person, "Two-step sign-in switched off")
        messages.success(request, _("Two-step sign-in is off for %d people.") % len(allowed))

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        if user.is_superuser:
            return str(_("Everything"))
        return ", ".join(group.name for group in user.groups.all()) or "–"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            # There is nothing here but the back office; what they may do in it their roles say.
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: AbstractBaseUser | None = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # The bulk deletion asks about no single person, so it could remove a superuser.
        return {
            name: action for name, action in super().get_actions(request).items() if name != "delete_selected"
        }

    @staticmethod
    def _may_touch(request: HttpRequest, user: User | None) -> bool:
        return user is None or not user.is_superuser or bool(request.user.is_superuser)


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):
    list_display = ["name", "people"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        named = {"title": _("Roles"), "crumbs": [(_("Settings"), ""), (_("Roles"), "")]}
        return super().changelist_view(request, named | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        role = Group.objects.filter(pk=int(object_id or 0)).first() if (object_id or "").isdecimal() else None
        name = role.name if role else _("New role")
        way = [(_("Settings"), ""), (_("Roles"), reverse("admin:auth_group_changelist")), (name, "")]
        named = {"title": name, "crumbs": way}
        return super().changeform_view(request, object_id, form_url, named | (extra_context or {}))

    @admin.display(description=_("people"))
    def people(self, role: Group) -> int:
        return role.user_set.count()
