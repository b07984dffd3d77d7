"""What a source sent today, for monitors."""

from django.http import Http404
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts import clock
from contacts.models import Source
from contacts.source_counts import with_counts


class MayViewSources(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user and user.is_staff and user.has_perm("contacts.view_source"))


class SourceCountsView(APIView):
    """GET: {source, day, received, accepted, duplicate, rejected, waiting} of today in UTC.

    received = accepted + duplicate + rejected + waiting, always.
    """

    authentication_classes = [SessionAuthentication]
    permission_classes = [MayViewSources]

    def get(self, request: Request, slug: str) -> Response:
        day = clock.now().date()
        source = with_counts(Source.objects.filter(slug=slug), day).first()
        if source is None:
            raise Http404
        names = ("received", "accepted", "duplicate", "rejected", "waiting")
        numbers = {name: getattr(source, name) for name in names}
        return Response({"source": slug, "day": day.isoformat(), **numbers})
