"""Every fault that is tried: what is done, what must come of it, and the tests that do it.

``make faults`` runs them all and prints this table; ``make test`` runs all but those in ``FULL``, which take
minutes and are repetitions on a larger scale.
"""

from __future__ import annotations

from typing import NamedTuple


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
        "a worker is killed at every point",
        "0 lost, 0 twice; unclear only what was in hand",
        (
            "faults/test_whole_loop.py",
            "channels/test_delivery_crashes.py",
            "journeys/test_faults.py::test_a_worker_killed_at_any_point_is_made_good_by_the_next",
            "journeys/test_limits.py::test_a_clock_killed_at_any_point_is_made_good_and_nobody_enters_twice",
            "contacts/test_ingest_faults.py::test_a_death_at_any_point_loses_nothing_and_doubles_nothing",
            "faults/test_matrix.py::test_every_crash_point_is_tried",
        ),
    ),
    Line(
        "F02",
        "workers restart politely, over and over, in the middle of a mailing",
        "everybody once, none unclear",
        ("faults/test_restarts.py",),
    ),
    Line(
        "F03",
        "a worker freezes and wakes after its lease",
        "it changes nothing; 0 twice",
        (
            f"{_DELIVERY}::test_a_frozen_worker_that_wakes_changes_nothing",
            f"{_DELIVERY}::test_a_worker_frozen_while_handing_over_leaves_its_message_uncertain",
        ),
    ),
    Line(
        "F04",
        "the web server is killed while events come in",
        "0 answered and missing",
        (
            f"{_SERVER}::test_what_was_answered_before_a_kill_is_stored",
            f"{_SERVER}::test_a_death_around_the_commit_loses_nothing_and_doubles_nothing",
        ),
    ),
    Line(
        "F05",
        "the database stops hard, or refuses, and comes back",
        "503 meanwhile, then right again by itself",
        (
            "faults/test_whole_loop.py",
            f"{_SERVER}::test_while_the_store_is_away_senders_are_told_to_wait_and_then_it_works_again",
        ),
    ),
    Line(
        "F06",
        "the broker forgets everything, dies, stays away",
        "0 lost; events are still taken",
        ("faults/test_whole_loop.py", "faults/test_restarts.py"),
    ),
    Line(
        "F07",
        "the mail server refuses, is busy, times out or drips",
        "put off; other domains hardly notice",
        (
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
        "each classed right; 0 twice",
        (
            f"{_DELIVERY}::test_every_mode_of_a_server_leads_to_its_state_and_leaves_the_others_alone",
            f"{_DELIVERY}::test_a_refusal_says_at_which_command_it_came",
            "faults/test_mail_modes.py",
        ),
    ),
    Line(
        "F09",
        "the server took the mail and its answer was lost",
        "0 twice, each marked unclear",
        (
            "faults/test_mail_modes.py",
            f"{_PROVIDERS}::test_each_fault_has_its_word_and_leaves_the_neighbours_alone",
            f"{_TROUBLE}::test_a_service_that_takes_it_and_falls_silent_may_have_sent_it",
        ),
    ),
    Line(
        "F10",
        "a provider reports the same 46 times, at once",
        "one effect",
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
        "0 calls before the time",
        (
            f"{_PROVIDERS}::test_a_gateway_says_when_to_come_back",
            f"{_TROUBLE}::test_a_busy_service_is_asked_again_when_it_says",
            f"{_TROUBLE}::test_apple_is_asked_again_when_it_says",
            f"{_AUDIENCES}::test_no_list_of_an_account_is_told_before_the_time_that_its_destination_named",
            "channels/test_flow.py::test_nothing_is_asked_before_the_time_that_a_gateway_named",
        ),
    ),
    Line(
        "F14",
        "three of every pulse at once",
        "0 twice",
        (
            "faults/test_crowds.py",
            "journeys/test_faults.py::test_three_engines_at_once_take_each_step_once",
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
        "claims stay quick",
        ("faults/test_store.py::test_messages_are_claimed_while_a_snapshot_is_held",),
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
        "all others are sent",
        ("faults/test_mail_modes.py::test_broken_people_fail_alone",),
    ),
    Line(
        "F23",
        "the line to a provider or the database goes silent",
        "no thread stuck; right again by itself",
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
        "404, never a redirect",
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
            "channels/test_mail_hooks.py::test_what_does_not_prove_itself_is_refused",
            "channels/test_mail_hooks.py::test_an_old_signature_is_a_replay",
            "channels/test_amazon.py::test_a_notification_that_amazon_did_not_sign_so_is_refused",
            "channels/test_sms_hooks.py::test_what_is_not_proven_is_refused",
            "channels/test_own_webhook.py::test_nobody_else_is_believed",
        ),
    ),
    Line(
        "S14",
        "scanners fetch every link, three times, at once",
        "0 changes",
        (
            "channels/test_scanners.py",
            f"{_PAGES}::test_looking_at_a_link_changes_nothing",
            f"{_PAGES}::test_scanners_at_once_change_nothing_and_clicks_at_once_are_one_withdrawal",
        ),
    ),
    Line(
        "S15",
        "machines open and click",
        "kept apart, never a person's",
        (
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
FULL = ("faults/test_restarts.py",)
