"""Anymail's views of Amazon's notifications, without Amazon's own library.

That is needed to send and to confirm only, and where it is installed it takes long to load: so this is
loaded when the first notification comes.
"""

from __future__ import annotations

from typing import Any

from anymail.webhooks.amazon_ses import AmazonSESInboundWebhookView, AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView


class TrackingView(AmazonSESTrackingWebhookView):  # type: ignore[misc]
    """What became of a mail."""

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = False
        AnymailBaseWebhookView.__init__(self, **kwargs)


class InboundView(AmazonSESInboundWebhookView):  # type: ignore[misc]
    """Received mails, as far as the notification itself holds them."""

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = False
        AnymailBaseWebhookView.__init__(self, **kwargs)
