from django.urls import URLPattern, URLResolver, path

from channels import survey_views, views, webhooks
from channels.api import (
    calls,
    charter,
    charter_approvals,
    content_tests,
    decisions,
    devices,
    feeds,
    inbox,
    library,
    sending,
    surveys,
    templates,
)

app_name = "channels"
_contact = "api/v1/contacts/<uuid:public_id>"
_charter = "api/v1/charter/versions"
_survey = "api/v1/surveys/<slug:slug>"
_words = "<slug:slug>/<slug:language>"
_feed = "api/v1/data-feeds/<slug:slug>"
_test = "api/v1/content-tests/<slug:slug>"
_account = "api/v1/provider-accounts/<int:account_id>"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_contact}/inbox", inbox.Inbox.as_view(), name="api_inbox"),
    path(f"{_contact}/inbox/unread", inbox.InboxUnread.as_view(), name="api_inbox_unread"),
    path(f"{_contact}/inbox/<uuid:key>", inbox.InboxMessage.as_view(), name="api_inbox_message"),
    path(f"{_contact}/inbox/<uuid:key>/answer", inbox.InboxAnswer.as_view(), name="api_inbox_answer"),
    path("api/v1/charter", charter.CharterInForce.as_view(), name="api_charter"),
    path("api/v1/charter/lint", charter.CharterLint.as_view(), name="api_charter_lint"),
    path(_charter, charter.CharterVersions.as_view(), name="api_charter_versions"),
    path(f"{_charter}/<int:number>", charter.CharterDetail.as_view(), name="api_charter_version"),
    path(f"{_charter}/<int:number>/impact", charter.CharterImpact.as_view(), name="api_charter_impact"),
    path(f"{_charter}/<int:number>/publish", charter.CharterPublish.as_view(), name="api_charter_publish"),
    path(
        f"{_charter}/<int:number>/publish-request",
        charter_approvals.CharterPublishRequest.as_view(),
        name="api_charter_request",
    ),
    path("api/v1/surveys", surveys.Surveys.as_view(), name="api_surveys"),
    path(_survey, surveys.SurveyDetail.as_view(), name="api_survey"),
    path(f"{_survey}/publish", surveys.SurveyPublish.as_view(), name="api_survey_publish"),
    path(f"{_survey}/results", surveys.SurveyResults.as_view(), name="api_survey_results"),
    path(f"{_survey}/answers", surveys.SurveyAnswers.as_view(), name="api_survey_answers"),
    path("api/v1/provider-accounts", sending.Accounts.as_view(), name="api_provider_accounts"),
    path("api/v1/channels/<slug:channel>/pause", sending.ChannelPause.as_view(), name="api_channel_pause"),
    path(f"{_account}/pause", sending.Account.as_view(), name="api_provider_account_pause"),
    path(f"{_account}/sender-domain", sending.SenderDomain.as_view(), name="api_sender_domain"),
    path("api/v1/messages/uncertain", sending.Uncertain.as_view(), name="api_uncertain"),
    path("api/v1/messages/<uuid:key>/settle", sending.Settled.as_view(), name="api_settle"),
    path(f"{_contact}/devices", devices.Devices.as_view(), name="api_devices"),
    path("api/v1/templates", templates.Templates.as_view(), name="api_templates"),
    path(f"api/v1/templates/{_words}", templates.TemplateWords.as_view(), name="api_template_words"),
    path("api/v1/template-library", library.Library.as_view(), name="api_template_library"),
    path("api/v1/content-blocks", templates.Blocks.as_view(), name="api_blocks"),
    path(f"api/v1/content-blocks/{_words}", templates.BlockWords.as_view(), name="api_block_words"),
    path("api/v1/data-feeds", feeds.DataFeeds.as_view(), name="api_data_feeds"),
    path(_feed, feeds.DataFeedDetail.as_view(), name="api_data_feed"),
    path(f"{_feed}/ask", feeds.DataFeedAsk.as_view(), name="api_data_feed_ask"),
    path("api/v1/content-tests", content_tests.ContentTests.as_view(), name="api_content_tests"),
    path(_test, content_tests.ContentTestDetail.as_view(), name="api_content_test"),
    path(f"{_test}/start", content_tests.ContentTestStart.as_view(), name="api_content_test_start"),
    path(f"{_test}/end", content_tests.ContentTestEnd.as_view(), name="api_content_test_end"),
    path(f"{_test}/results", content_tests.ContentTestFigures.as_view(), name="api_content_test_results"),
    path("api/v1/calls", calls.Calls.as_view(), name="api_calls"),
    path("api/v1/calls/<int:number>/take", calls.CallTake.as_view(), name="api_call_take"),
    path("api/v1/calls/<int:number>/end", calls.CallEnd.as_view(), name="api_call_end"),
    path("api/v1/decisions", decisions.Decisions.as_view(), name="api_decisions"),
    path("api/v1/decisions/reasons", decisions.DecisionReasons.as_view(), name="api_decision_reasons"),
    path("api/v1/decisions/<int:decision_id>", decisions.DecisionOne.as_view(), name="api_decision"),
    path("api/v1/decisions/<int:decision_id>/replay", decisions.DecisionReplay.as_view(), name="api_replay"),
    path("w/<str:token>", views.why, name="why"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("hooks/email/<int:account_id>", webhooks.email_report, name="email_report"),
    path("hooks/email-in/<int:account_id>", webhooks.email_incoming, name="email_incoming"),
    path("hooks/sms/<int:account_id>", webhooks.sms_report, name="sms_report"),
    path("hooks/sms-in/<int:account_id>", webhooks.sms_incoming, name="sms_incoming"),
    path("hooks/webhook/<int:account_id>", webhooks.own_report, name="own_report"),
    path("push/key", webhooks.push_key, name="push_key"),
    path("push/subscribe", webhooks.push_subscribe, name="push_subscribe"),
    path("segue-sw.js", views.service_worker, name="service_worker"),
    path("c/<str:token>", views.confirm, name="confirm"),
    path("q/<str:token>", survey_views.survey, name="survey"),
    path("brand/logo", views.logo, name="logo"),
    path("p/<str:token>", views.preference_centre, name="preferences"),
]
