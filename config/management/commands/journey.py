"""Journeys as files: write them out, check them, see what would change, bring them in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError, CommandParser

from contacts import clock
from journeys import approving, filing, publishing
from journeys.filing import File, Plan
from journeys.graph import GraphError
from journeys.models import Journey
from journeys.publishing import NotAllowedError

_PROBLEMS, _DIFFERENT, _WRONG = 1, 1, 2


class Command(BaseCommand):
    help = (
        "Journeys as files. Exit codes: lint 0 in order, 1 problems; diff 0 the same, 1 different; apply"
        " 0 done, 1 not; 2 for anything else that goes wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        lint = acts.add_parser("lint", help="say what is wrong with files")
        lint.add_argument("--offline", action="store_true", help="do not look up what they name")
        diff = acts.add_parser("diff", help="say what applying files would change")
        apply = acts.add_parser("apply", help="store files as drafts, all of them or none")
        apply.add_argument("--by", required=True, help="user under whose name it is written down")
        apply.add_argument("--publish", action="store_true", help="publish what changed, or ask for it")
        apply.add_argument("--missing", action="store_true", help="store also what names missing things")
        for each in (lint, diff, apply):
            each.add_argument("files", nargs="+", type=Path, help="YAML files or folders of them")
        export = acts.add_parser("export", help="write journeys as YAML")
        export.add_argument("slugs", nargs="*", help="which ones; all if none is named")
        export.add_argument("--to", type=Path, help="folder for one file each; standard output if absent")
        export.add_argument("--version-number", type=int, help="this version instead of the draft")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["act"]:
            case "export":
                self._export(options)
            case "lint":
                self._lint(options)
            case "diff":
                self._diff(options)
            case _:
                self._apply(options)

    def _export(self, options: dict[str, Any]) -> None:
        found = Journey.objects.order_by("slug")
        if options["slugs"]:
            found = found.filter(slug__in=options["slugs"])
            if missing := set(options["slugs"]) - set(found.values_list("slug", flat=True)):
                raise CommandError(f"There is no journey {', '.join(sorted(missing))}.", returncode=_WRONG)
        for journey in found:
            try:
                text = filing.write(journey, options["version_number"])
            except LookupError as error:
                raise CommandError(str(error), returncode=_WRONG) from error
            if options["to"] is None:
                self.stdout.write(f"# {journey.slug}.yaml\n{text}")
                continue
            options["to"].mkdir(parents=True, exist_ok=True)
            (options["to"] / f"{journey.slug}.yaml").write_text(text, encoding="utf-8")
            self.stdout.write(f"{journey.slug}.yaml")

    def _lint(self, options: dict[str, Any]) -> None:
        count = 0
        for file in _files(options["files"]):
            for problem in filing.lint(file, offline=options["offline"]):
                count += 1
                self.stdout.write(f"{file.slug}: {problem}")
        if count:
            raise CommandError(f"{count} problems.", returncode=_PROBLEMS)
        self.stdout.write("In order.")

    def _diff(self, options: dict[str, Any]) -> None:
        plans = filing.plan(_files(options["files"]))
        self._say(plans)
        if any(each.faults for each in plans):
            raise CommandError("Some of the files cannot be applied.", returncode=_WRONG)
        if any(each.act != "same" for each in plans):
            sys.exit(_DIFFERENT)

    def _apply(self, options: dict[str, Any]) -> None:
        by = get_user_model().objects.filter(username=options["by"]).first()
        if by is None:
            raise CommandError(f"There is no user {options['by']}.", returncode=_WRONG)
        plans = filing.plan(_files(options["files"]))
        self._say(plans)
        if any(each.faults or (each.problems and not options["missing"]) for each in plans):
            raise CommandError("Nothing was applied.", returncode=_PROBLEMS)
        for journey in filing.apply(plans):
            said = "Applied the draft from a file"
            if options["publish"]:
                said += f"; {self._publish(journey, by)}"
            LogEntry.objects.log_actions(by.pk, [journey], CHANGE, change_message=said, single_object=True)

    def _publish(self, journey: Journey, by: AbstractBaseUser) -> str:
        try:
            if approving.needed():
                approving.ask(journey, by, clock.now())
                self.stdout.write(f"{journey.slug}: asked for publication")
                return "asked for publication"
            version = publishing.publish(journey, by, clock.now())
        except (GraphError, NotAllowedError) as error:
            raise CommandError(f"{journey.slug} is stored, not published: {error}", returncode=1) from error
        self.stdout.write(f"{journey.slug}: published version {version.number}")
        return f"published version {version.number}"

    def _say(self, plans: list[Plan]) -> None:
        for each in plans:
            self.stdout.write(f"{each.file.slug}: {each.act}")
            for change in each.changes if each.act == "update" else []:
                self.stdout.write(f"  {change}")
            for problem in [*each.faults, *(one for one in each.problems if one not in each.faults)]:
                self.stdout.write(f"  problem: {problem}")


def _files(paths: list[Path]) -> list[File]:
    """The files, those of folders by name."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    try:
        return [filing.read(path.stem, path.read_text(encoding="utf-8")) for path in found]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(str(error), returncode=_WRONG) from error
