"""Every fault that is tried: what is done, what must come of it, and the tests that do it.

``make faults`` runs them all and prints this table; ``make test`` runs all but those in ``FULL``, which take
minutes and are repetitions on a larger scale.
"""

from __future__ import annotations

import os
from typing import NamedTuple

#: Whether everything is tried as often and as long as the figures of the table ask (``make faults``).
WHOLE = os.environ.get("SEGUE_FAULTS") == "full"


class Line(NamedTuple):
    #: F: faults of parts, S: attacks, B: bad input.
    id: str
    fault: str
    #: What an excellent system reaches.
    holds: str
    #: ``path`` or ``path::test``, below ``tests/``.
    tests: tuple[str, ...]


_DELIVERY = "channels/test_delivery.py"
_ENGAGEMENT = "channels/test_engagement.py"
_PROVIDERS = "contracts/test_providers.py"
_AUDIENCES = "channels/test_audience_sync.py"
_TROUBLE = "contracts/test_services_in_trouble.py"
_PAGES = "channels/test_public_pages.py"
_SERVER = "contacts/test_intake_server.py"

MATRIX = (
    Line(
        "F01",
        "workers are killed, 200 times over 5,000 people and at every point",
        "0 lost, 0 twice; unclear only what was in hand; all done 60 s after the last kill",
        (
            "faults/test_whole_loop.py",
            "channels/test_delivery_crashes.py",
            "faults/test_last_points.py",
            "journeys/test_faults.py::test_a_worker_killed_at_any_point_is_made_good_by_the_next",
            "journeys/test_limits.py::test_a_clock_killed_at_any_point_is_made_good_and_nobody_enters_twice",
            "journeys/test_calling.py::test_a_caller_killed_at_any_point_is_made_good_under_the_same_key",
            "journeys/campaigns/test_faults.py::test_whoever_dies_where_everybody_gets_it_once",
            "contacts/test_ingest_faults.py::test_a_death_at_any_point_loses_nothing_and_doubles_nothing",
            "contacts/exchange/test_import_crashes.py",
            "faults/test_matrix.py::test_every_crash_point_is_tried",
        ),
    ),
    Line(
        "F02",
        "workers restart politely ten times in the middle of a mailing, which is paused and resumed",
        "everybody once, 0 unclear",
        (
            "faults/test_restarts.py::test_polite_restarts_lose_nothing_and_leave_nothing_unclear",
            "journeys/campaigns/test_faults.py::test_whoever_dies_where_everybody_gets_it_once",
            "properties/test_campaigns.py",
        ),
    ),
    Line(
        "F03",
        "workers are stopped by SIGSTOP at every point, and wake after their lease",
        "they change 0 rows; 0 twice; others go on meanwhile",
        (
            "faults/test_frozen.py",
            "faults/test_whole_loop.py",
            f"{_DELIVERY}::test_a_frozen_worker_that_wakes_changes_nothing",
            f"{_DELIVERY}::test_a_worker_frozen_while_handing_over_leaves_its_message_uncertain",
        ),
    ),
    Line(
        "F04",
        "the web server is killed while events come in",
        "0 answered and missing; what was not answered comes in once by trying again",
        (
            f"{_SERVER}::test_what_was_answered_before_a_kill_is_stored",
            f"{_SERVER}::test_a_death_around_the_commit_loses_nothing_and_doubles_nothing",
        ),
    ),
    Line(
        "F05",
        "the database stops hard ten times, or refuses, and comes back",
        "503 meanwhile; 0 answered and missing; taken again within 5 s each time",
        (
            "faults/test_whole_loop.py",
            "faults/test_restarts.py::test_a_database_that_crashes_ten_times_is_served_again_within_five_seconds",
            f"{_SERVER}::test_while_the_store_is_away_senders_are_told_to_wait_and_then_it_works_again",
        ),
    ),
    Line(
        "F06",
        "the broker forgets everything, dies ten times, is silent for a minute",
        "0 lost; events are taken meanwhile; all caught up after 60 s",
        (
            "faults/test_whole_loop.py",
            "faults/test_restarts.py::test_a_broker_that_dies_ten_times_and_falls_silent_loses_nothing",
        ),
    ),
    Line(
        "F07",
        "the mail server refuses, is busy, times out or drips",
        "put off; a healthy domain's p95 delay grows by less than 20 %",
        (
            "faults/test_healthy_domains.py",
            f"{_DELIVERY}::test_no_server_at_all_leaves_messages_waiting",
            f"{_DELIVERY}::test_a_server_that_sends_everybody_away_leaves_messages_waiting",
            f"{_DELIVERY}::test_healthy_messages_do_not_wait_for_a_domain_that_times_out",
            f"{_TROUBLE}::test_a_service_that_is_away_was_sent_nothing",
            "faults/test_mail_modes.py",
        ),
    ),
    Line(
        "F08",
        "4xx and 5xx at each command, mixed in one batch",
        "100 % classed right; 4xx tried again up to a limit, 5xx never; 0 twice",
        (
            f"{_DELIVERY}::test_every_mode_of_a_server_leads_to_its_state_and_leaves_the_others_alone",
            f"{_DELIVERY}::test_a_refusal_says_at_which_command_it_came",
            "channels/test_retry.py",
            "faults/test_mail_modes.py",
        ),
    ),
    Line(
        "F09",
        "the server took the mail and its answer was lost",
        "0 twice; 100 % marked unclear, counted and shown",
        (
            "faults/test_mail_modes.py",
            f"{_PROVIDERS}::test_each_fault_has_its_word_and_leaves_the_neighbours_alone",
            f"{_TROUBLE}::test_a_service_that_takes_it_and_falls_silent_may_have_sent_it",
            "channels/test_promises.py::test_uncertain_messages_are_counted_and_alarm_nobody",
            "channels/admin/test_flow_pages.py::test_programs_list_and_settle_the_uncertain",
        ),
    ),
    Line(
        "F10",
        "a provider reports the same 46 times, at once",
        "exactly 1 effect",
        (
            f"{_ENGAGEMENT}::test_the_same_callback_46_times_counts_once",
            "faults/test_crowds.py::test_the_same_report_read_by_several_at_once_counts_once",
        ),
    ),
    Line(
        "F11",
        "reports in every order",
        "120 of 120 end the same",
        (f"{_ENGAGEMENT}::test_callbacks_in_any_order_come_to_the_same",),
    ),
    Line(
        "F12",
        "429 with Retry-After: seconds, a date, none, absurd, negative",
        "0 calls before the time; all of it sent, and the speed back to 95 % within 10 s after",
        (
            "faults/test_coming_back.py",
            f"{_PROVIDERS}::test_a_gateway_says_when_to_come_back",
            f"{_TROUBLE}::test_a_busy_service_is_asked_again_when_it_says",
            f"{_TROUBLE}::test_apple_is_asked_again_when_it_says",
            f"{_AUDIENCES}::test_no_list_of_an_account_is_told_before_the_time_that_its_destination_named",
            "channels/test_flow.py::test_nothing_is_asked_before_the_time_that_a_gateway_named",
            "channels/test_flow_rules.py",
        ),
    ),
    Line(
        "F14",
        "three of every pulse at once",
        "0 twice",
        (
            "faults/test_crowds.py",
            "journeys/test_faults.py::test_three_engines_at_once_take_each_step_once",
            "journeys/test_faults.py::test_whoever_lets_people_in_at_once_lets_each_in_once",
            "journeys/test_clockwork.py::test_three_that_look_at_once_let_everybody_in_once",
            "journeys/campaigns/test_faults.py::test_three_workers_at_once_freeze_and_hand_on_each_person_once",
        ),
    ),
    Line(
        "F16",
        "runs without a way on, and failed sends",
        "none stuck",
        ("journeys/test_tasks.py", "properties/test_runs.py"),
    ),
    Line(
        "F18",
        "opposite orders, deadlocks, races of merges",
        "effects once, no error seen",
        ("journeys/test_merge_races.py", "contacts/privacy/test_races.py"),
    ),
    Line(
        "F19",
        "a session holds a snapshot while messages are claimed",
        "claims take less than 50 ms; an alarm names the session",
        (
            "faults/test_store.py::test_messages_are_claimed_while_a_snapshot_is_held",
            "contacts/auditing/test_looking.py::test_a_session_that_idles_in_a_transaction_is_named",
        ),
    ),
    Line(
        "F20",
        "the disk is full",
        "503, 0 answered and missing; right again by itself",
        ("faults/test_store.py::test_a_full_disk_is_answered_503_and_nothing_answered_is_missing",),
    ),
    Line(
        "F22",
        "one contact in a hundred breaks its template",
        "100 % of the others are sent",
        ("faults/test_mail_modes.py::test_broken_people_fail_alone",),
    ),
    Line(
        "F23",
        "the line to a provider or the database goes silent",
        "no thread stuck, no memory kept; right again within 10 s",
        ("faults/test_silence.py",),
    ),
    Line(
        "S05",
        "templates that loop, grow and reach for what is not theirs",
        "each ends within its bounds",
        ("channels/test_rendering_liquid.py::test_the_worst_templates_end_soon_and_stay_small",),
    ),
    Line(
        "S06",
        "addresses that lead inside",
        "0 connections",
        (
            f"{_PROVIDERS}::test_nothing_inside_is_called_unless_the_operator_names_it",
            "journeys/test_calling.py::test_an_address_inside_is_never_called",
            "channels/test_outgoing.py",
        ),
    ),
    Line(
        "S07",
        "altered, foreign and unsigned links",
        "404, 0 redirects",
        (
            "channels/test_tracking_door.py::test_what_was_not_signed_is_not_found",
            "channels/test_tracking_door.py::test_an_altered_or_foreign_token_leads_nowhere",
            "channels/test_tracking.py",
        ),
    ),
    Line(
        "S08",
        "forged, old and unsigned reports",
        "0 taken",
        (
            "channels/test_webhooks.py::test_what_is_not_signed_or_old_is_refused",
            "channels/test_webhooks.py::test_without_a_secret_nothing_is_believed",
            "channels/test_amazon.py::test_a_notification_that_amazon_did_not_sign_so_is_refused",
            "channels/test_own_webhook.py::test_nobody_else_is_believed",
            "channels/test_mail_hooks.py",
            "channels/test_sms_hooks.py",
        ),
    ),
    Line(
        "S14",
        "scanners fetch every link, three times, at once",
        "0 changes",
        (
            "channels/test_scanners.py",
            "flows/test_scanners.py",
            f"{_PAGES}::test_looking_at_a_link_changes_nothing",
            f"{_PAGES}::test_scanners_at_once_change_nothing_and_clicks_at_once_are_one_withdrawal",
        ),
    ),
    Line(
        "S15",
        "machines open and click",
        "95 % of a labelled set known, 1 % of people mistaken at most; 0 journeys begun",
        (
            "channels/test_actors.py",
            f"{_ENGAGEMENT}::test_a_machine_is_kept_with_its_class_and_counts_for_nobody",
            f"{_ENGAGEMENT}::test_a_click_within_two_seconds_is_no_persons",
        ),
    ),
    Line(
        "S16",
        "headers and commands in names, subjects and addresses",
        "0 reach the server",
        (
            f"{_DELIVERY}::test_data_cannot_add_headers",
            f"{_DELIVERY}::test_an_address_that_no_mailbox_has_is_refused_before_the_server_sees_it",
            f"{_DELIVERY}::test_a_mail_is_the_same_whether_it_was_cut_or_not",
        ),
    ),
    Line(
        "S17",
        "secrets of accounts in pages, errors, logs, dumps and answers that repeat them",
        "0 seen",
        ("channels/test_canaries.py", "channels/test_sealing.py"),
    ),
    Line(
        "B14",
        "line ends and separators in subjects, names and header values",
        "0 headers added; the others of the batch are sent",
        (
            f"{_DELIVERY}::test_data_cannot_add_headers",
            "channels/test_rendering_mail.py::test_a_line_break_in_a_header_is_refused",
            "channels/test_anymail.py::test_any_name_of_a_sender_stays_one_sender",
        ),
    ),
    Line(
        "B15",
        "bodies with lone dots, bare line ends, long lines, eight bits",
        "one mail, its body as it was",
        (
            "channels/test_odd_bodies.py",
            "channels/test_rendering_mail.py::test_odd_bodies_come_back_in_one_piece",
        ),
    ),
    Line(
        "B16",
        "phone numbers and push tokens that are none",
        "E.164 or refused",
        (
            "channels/test_addresses.py::test_what_is_no_phone_or_costs_extra_is_refused",
            "channels/test_devices.py::test_what_is_no_token_is_refused",
            "channels/test_webhooks.py::test_a_bad_subscription_is_refused",
        ),
    ),
    Line(
        "B20",
        "addresses that run, hide where they lead, or never end",
        "0 rendered, 0 stored",
        (
            "channels/test_rendering.py::test_an_address_from_data_that_may_not_be_used_leads_nowhere",
            "channels/test_rendering.py::test_what_no_mail_may_hold_cannot_be_published",
            "channels/test_push_look.py::test_a_button_without_words_or_without_any_link_is_none",
            "channels/test_content_api.py::test_a_feed_that_cannot_be_is_refused_by_its_field",
        ),
    ),
)

#: Files that only ``make faults`` runs.
FULL = ("faults/test_restarts.py", "faults/test_healthy_domains.py", "faults/test_coming_back.py")
