"""The reports of email services as each writes and proves them, by what they tell: for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from channels import sns_signature

#: What each report below may tell.
TOLD = ("delivered", "bounced", "complained", "clicked", "unsubscribed")
ADDRESS = "ann@example.com"
LINK = "https://shop.example/sale"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"user:pass").decode()}

_POSTAL = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_SENDGRID = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Report:
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def _public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    raw = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def signed_hex(key: str, text: bytes) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _amazon(told: str, segue: str, at: int) -> Report:
    names: dict[str, tuple[str, dict[str, Any]]] = {
        "delivered": ("Delivery", {"delivery": {"recipients": [ADDRESS], "smtpResponse": "250 ok"}}),
        "bounced": ("Bounce", {"bounce": {
            "bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": ADDRESS, "status": "5.1.1",
            "diagnosticCode": "550 no"}]}}),
        "complained": ("Complaint", {"complaint": {
            "complainedRecipients": [{"emailAddress": ADDRESS}], "complaintFeedbackType": "abuse"}}),
        "clicked": ("Click", {"click": {"link": LINK, "userAgent": AGENT, "timestamp": _iso(at)}}),
        "unsubscribed": ("Subscription", {"subscription": {"contactList": "x",
        "source": "UnsubscribeHeader"}}),
    }  # fmt: skip
    kind, more = names[told]
    ses = {
        "eventType": kind,
        "mail": {
            "timestamp": _iso(at), "messageId": "ses-1", "destination": [ADDRESS],
            "headers": [{"name": "X-Metadata", "value": json.dumps({"segue": segue})}],
        },
        **more,
    }  # fmt: skip
    sns = {"Type": "Notification", "MessageId": f"sns-{told}", "TopicArn": "arn:aws:sns:eu-west-1:1:x",
           "Message": json.dumps(ses), "Timestamp": _iso(at)}  # fmt: skip
    return Report(_json(amazon_signed(sns)), "text/plain", {
        **BASIC, "x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": f"sns-{told}",
    })  # fmt: skip


def amazon_signed(sns: dict[str, Any]) -> dict[str, Any]:
    """A notification as Amazon signs it."""
    text = sns_signature.signed(sns, sns_signature._PARTS[sns["Type"]])
    signature = base64.b64encode(_POSTAL.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    place = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
    return {**sns, "SignatureVersion": "2", "Signature": signature, "SigningCertURL": place}


def amazon_certificate() -> bytes:
    """What Amazon would hand out at that address."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(
        name,
        name,
        _POSTAL.public_key(),
        1,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2036, 1, 1, tzinfo=UTC),
    )
    return made.sign(_POSTAL, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _brevo(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "hard_bounce", "complained": "spam", "clicked": "click",
             "unsubscribed": "unsubscribe"}  # fmt: skip
    return Report(_json({
        "event": names[told], "email": ADDRESS, "ts_epoch": at * 1000, "message-id": "<b-1@relay>",
        "X-Mailin-custom": json.dumps({"segue": segue}), "link": LINK, "reason": "550 no",
    }), headers=BASIC)  # fmt: skip


def _mailersend(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "hard_bounced", "complained": "spam_complaint",
             "clicked": "clicked", "unsubscribed": "unsubscribed"}  # fmt: skip
    body = _json({
        "type": f"activity.{names[told]}",
        "data": {
            "id": f"ms-{told}", "type": names[told], "created_at": _iso(at),
            "email": {"message": {"id": "ms-1"}, "recipient": {"email": ADDRESS}, "tags": []},
            "morph": {"object": "click", "url": LINK} if told == "clicked" else
            {"object": "recipient_bounce", "reason": "550 no"} if told == "bounced" else None,
        },
    })  # fmt: skip
    return Report(body, headers={"Signature": signed_hex("key", body)})


def _mailgun(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "failed", "complained": "complained", "clicked": "clicked",
             "unsubscribed": "unsubscribed"}  # fmt: skip
    data = {
        "event": names[told], "id": f"mg-{told}", "timestamp": at, "recipient": ADDRESS,
        "message": {"headers": {"message-id": "mg-1@mg.example"}}, "user-variables": {"segue": segue},
        "url": LINK, "client-info": {"user-agent": AGENT},
    }  # fmt: skip
    if told == "bounced":
        data |= {
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": "no"},
        }
    signature = {"token": "t1", "timestamp": str(at), "signature": signed_hex("key", f"{at}t1".encode())}
    return Report(_json({"signature": signature, "event-data": data}))


def _mailjet(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "sent", "bounced": "bounce", "complained": "spam", "clicked": "click",
             "unsubscribed": "unsub"}  # fmt: skip
    more = {"error": "user unknown", "hard_bounce": True} if told == "bounced" else {}
    return Report(_json([{
        "event": names[told], "time": at, "MessageID": 10**18 + int(segue.partition(".")[0]),
        "email": ADDRESS,
        "Payload": json.dumps({"segue": segue}), "url": LINK, "agent": AGENT, **more,
    }]), headers=BASIC)  # fmt: skip


def _mailtrap(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivery", "bounced": "bounce", "complained": "spam", "clicked": "click",
             "unsubscribed": "unsubscribe"}  # fmt: skip
    body = _json({"events": [{
        "event": names[told], "timestamp": at, "message_id": "mt-1", "event_id": f"mt-{told}",
        "email": ADDRESS,
        "sending_stream": "bulk", "custom_variables": {"segue": segue}, "url": LINK, "user_agent": AGENT,
    }]})  # fmt: skip
    return Report(body, headers={"Mailtrap-Signature": signed_hex("key", body)})


def _mandrill(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "hard_bounce", "complained": "spam", "clicked": "click",
             "unsubscribed": "unsub"}  # fmt: skip
    events = [{"event": names[told], "_id": "md-1", "ts": at, "url": LINK, "user_agent": AGENT,
               "msg": {"_id": "md-1", "email": ADDRESS, "metadata": {"segue": segue},
               "diag": "550"}}]  # fmt: skip
    form = {"mandrill_events": json.dumps(events)}
    return Report(urlencode(form).encode(), "application/x-www-form-urlencoded")


def mandrill_signature(report: Report, url: str) -> dict[str, str]:
    """Mandrill signs the address too, which only the test knows."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(parse_qsl(report.body.decode())))
    digest = hmac.new(b"key", text.encode(), hashlib.sha1).digest()
    return {"X-Mandrill-Signature": base64.b64encode(digest).decode()}


def _postal(told: str, segue: str, at: int) -> Report:
    message = {"id": "po-1", "to": ADDRESS, "direction": "outgoing"}
    names: dict[str, tuple[str, dict[str, Any]]] = {
        "delivered": ("MessageSent", {"message": message, "status": "Sent", "output": "250 ok"}),
        "bounced": ("MessageBounced", {"original_message": message, "bounce": {"id": 2, "to": "bounce@x"}}),
        "clicked": ("MessageLinkClicked", {"message": message, "url": LINK, "user_agent": AGENT}),
    }
    event, payload = names[told]
    body = _json({"event": event, "timestamp": at, "uuid": f"po-{told}", "payload": payload})
    signature = _POSTAL.sign(body, padding.PKCS1v15(), hashes.SHA1())
    return Report(body, headers={"X-Postal-Signature": base64.b64encode(signature).decode()})


def _postmark(told: str, segue: str, at: int) -> Report:
    names: dict[str, dict[str, Any]] = {
        "delivered": {"RecordType": "Delivery", "Recipient": ADDRESS, "DeliveredAt": _iso(at)},
        "bounced": {"RecordType": "Bounce", "Type": "HardBounce", "ID": 4, "Email": ADDRESS,
        "BouncedAt": _iso(at),
                    "Details": "550 no"},
        "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 5, "Email": ADDRESS,
                       "BouncedAt": _iso(at)},
        "clicked": {"RecordType": "Click", "Recipient": ADDRESS, "ReceivedAt": _iso(at), "OriginalLink": LINK,
                    "UserAgent": AGENT},
        "unsubscribed": {"RecordType": "SubscriptionChange", "Recipient": ADDRESS, "ChangedAt": _iso(at),
                         "SuppressSending": True, "SuppressionReason": "ManualSuppression"},
    }  # fmt: skip
    return Report(_json({"MessageID": "pm-1", "Metadata": {"segue": segue}, **names[told]}), headers=BASIC)


def _resend(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "email.delivered", "bounced": "email.bounced", "complained": "email.complained",
             "clicked": "email.clicked"}  # fmt: skip
    body = _json({
        "type": names[told], "created_at": _iso(at),
        "data": {
            "email_id": "re-1", "to": [ADDRESS], "bounce": {"message": "550 no", "type": "Permanent"},
            "headers": [{"name": "X-Metadata", "value": json.dumps({"segue": segue})}],
            "click": {"link": LINK, "userAgent": AGENT},
        },
    })  # fmt: skip
    digest = hmac.new(b"resend-secret", f"re-{told}.{at}.".encode() + body, hashlib.sha256).digest()
    return Report(body, headers={
        "svix-id": f"re-{told}", "svix-timestamp": str(at),
        "svix-signature": "v1," + base64.b64encode(digest).decode(),
    })  # fmt: skip


def _sendgrid(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "bounce", "complained": "spamreport", "clicked": "click",
             "unsubscribed": "unsubscribe"}  # fmt: skip
    body = _json([{"event": names[told], "timestamp": at, "sg_event_id": f"sg-{told}", "email": ADDRESS,
                   "segue": segue, "smtp-id": "<sg-1@x>", "url": LINK, "useragent": AGENT,
                   **({"type": "bounce", "reason": "550"} if told == "bounced" else {})}])  # fmt: skip
    signature = _SENDGRID.sign(str(at).encode() + body, ec.ECDSA(hashes.SHA256()))
    return Report(body, headers={
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": str(at),
    })  # fmt: skip


def _sparkpost(told: str, segue: str, at: int) -> Report:
    names = {"delivered": ("message_event", "delivery"), "bounced": ("message_event", "bounce"),
             "complained": ("message_event", "spam_complaint"), "clicked": ("track_event", "click"),
             "unsubscribed": ("unsubscribe_event", "list_unsubscribe")}  # fmt: skip
    kind, name = names[told]
    return Report(_json([{"msys": {kind: {
        "type": name, "event_id": f"sp-{told}", "timestamp": str(at), "raw_rcpt_to": ADDRESS,
        "transmission_id": "sp-1", "rcpt_meta": {"segue": segue}, "bounce_class": "10", "raw_reason": "550",
        "target_link_url": LINK, "user_agent": AGENT}}}]), headers=BASIC)  # fmt: skip


def _unisender(told: str, segue: str, at: int) -> Report:
    names = {"delivered": "delivered", "bounced": "hard_bounced", "complained": "spam", "clicked": "clicked",
             "unsubscribed": "unsubscribed"}  # fmt: skip
    told_of = {
        "job_id": "us-1", "email": ADDRESS, "status": names[told], "metadata": {"segue": segue}, "url": LINK,
        "event_time": _iso(at)[:19].replace("T", " "),
        "delivery_info": {"delivery_status": "err_user_unknown", "user_agent": AGENT},
    }  # fmt: skip
    event = {"event_name": "transactional_email_status", "event_data": told_of}
    text = _json({"auth": "key", "events_by_user": [{"events": [event]}]})
    auth = hashlib.md5(text).hexdigest()
    return Report(text.replace(b'"auth": "key"', f'"auth": "{auth}"'.encode()))


REPORTS: dict[str, Callable[[str, str, int], Report]] = {
    "amazon_ses": _amazon, "brevo": _brevo, "mailersend": _mailersend, "mailgun": _mailgun,
    "mailjet": _mailjet,
    "mailtrap": _mailtrap, "mandrill": _mandrill, "postal": _postal, "postmark": _postmark, "resend": _resend,
    "sendgrid": _sendgrid, "sparkpost": _sparkpost, "unisender_go": _unisender,
}  # fmt: skip
#: What services name a message by, where they do not hand our own word back.
NAMED = {"mailersend": "ms-1", "postal": "po-1"}
#: What some do not tell.
SILENT = {
    "amazon_ses": {"unsubscribed"},
    "mandrill": {"delivered"},
    "postal": {"complained", "unsubscribed"},
    "resend": {"unsubscribed"},
}
#: Services that do not say with what a link was opened, so that it may have been a machine.
BLIND = {"brevo", "mailersend"}
#: Services that prove themselves with a name and password in the address; the others sign.
BY_PASSWORD = {"amazon_ses", "brevo", "mailjet", "postmark", "sparkpost"}
SECRETS: dict[str, dict[str, str]] = {
    name: {"webhook_secret": "user:pass"} if name in BY_PASSWORD else {"signing_key": "key"}
    for name in REPORTS
}
SECRETS["postal"] = {"signing_key": _public(_POSTAL)}
SECRETS["sendgrid"] = {"signing_key": _public(_SENDGRID)}
SECRETS["resend"] = {"signing_key": "whsec_" + base64.b64encode(b"resend-secret").decode()}
