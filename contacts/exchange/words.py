"""Outcomes, reasons and targets of imports in words, for pages and for the file of rejected lines."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

OUTCOMES: dict[str, Any] = {
    "created": _("would be created"),
    "updated": _("would be updated"),
    "unchanged": _("known already, nothing new"),
}
REASONS: dict[str, Any] = {
    "bad_email": _("This is no email address that mail can reach."),
    "bad_phone": _("This is no phone number, or the country it belongs to is not known."),
    "bad_language": _("This is no language code such as fr or en-GB."),
    "bad_timezone": _("This is no time zone such as Europe/Paris."),
    "bad_country": _("This is no country code of two letters."),
    "bad_id": _("This id cannot name one person."),
    "bad_number": _("This is no number."),
    "bad_date": _("This is no date."),
    "bad_boolean": _("This is neither yes nor no."),
    "too_long": _("The text is too long."),
    "nul": _("The cell holds a NUL character."),
    "columns": _("The line has more cells than there are columns; is a quote missing?"),
    "quotes": _("A quote is opened and never closed, or closed in the middle of a cell."),
    "encoding": _("The line is in another encoding than the file."),
    "line_too_long": _("The line is longer than any real one."),
    "no_identifier": _("No email, phone or id is left by which the person could be found."),
    "no_event": _("The line names no event."),
    "no_time": _("The line does not say when it happened."),
    "in_future": _("It is said to have happened in the future."),
    "exists": _("The person exists, and only new people were to be imported."),
    "unknown_person": _("Nobody is known by this, and only known people were to be changed."),
    "database": _("The database could not store this line."),
}
FAULTS: dict[str, Any] = {
    "empty": _("The file holds no lines."),
    "binary": _("This is not a table: the content is that of another kind of file."),
    "markup": _("This is not a table: the content is a web page or a drawing, whatever its name says."),
    "columns": _("The file has more than 1,000 columns."),
    "line_too_long": _("The first line is longer than any real one."),
    "damaged": _("The workbook is damaged or protected. Save it anew, or as CSV."),
    "bomb": _("The workbook would unpack to far more than it can really hold."),
    "entities": _("The workbook declares entities, which no spreadsheet writes."),
    "not_a_workbook": _("This archive is not an XLSX workbook."),
    "no_sheet": _("The workbook has no sheet."),
    "too_much_text": _("The workbook holds too much text to be read safely. Save it as CSV."),
    "file_missing": _("The file is no longer there. Upload it again."),
    "too_many_rows": _("A sheet holds at most 1,048,575 rows. Choose CSV."),
}
PROBLEMS: dict[str, Any] = {
    "twice": _("Two columns have the same meaning."),
    "no_identifier": _("Choose the column by which people are found: an email, a phone or an id."),
    "no_event": _("Choose which column, or which constant, names the event, and which tells its time."),
    "unknown_target": _("A column has no meaning that fits; attributes need a name."),
    "unknown_kind": _("A column has a type that does not exist."),
    "unknown_region": _("This is no country code of two letters."),
    "unknown_zone": _("This is no time zone such as Europe/Paris."),
}
TARGETS: dict[str, Any] = {
    "user_id": _("Customer id"),
    "email": _("Email"),
    "phone": _("Phone"),
    "anonymous_id": _("Anonymous id"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "name": _("Full name"),
    "language": _("Language"),
    "timezone": _("Time zone"),
    "country": _("Country"),
    "consent_at": _("Date of consent"),
    "consent_proof": _("Proof of consent"),
    "consent_wording": _("Wording of consent"),
    "event": _("Name of the event"),
    "time": _("When it happened"),
    "message_id": _("Id of the event"),
    "note": _("Note"),
}
KINDS: dict[str, Any] = {
    "text": _("text"),
    "number": _("number"),
    "date": _("date"),
    "time": _("date and time"),
    "boolean": _("yes or no"),
}
