"""Uploads that announce more than the installation takes are refused before a byte of them is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

_ALLOWANCE = 1 << 20
"Bytes for the form around the file."


class SizeGuard(FileUploadHandler):
    """First of the handlers; keeps nothing itself."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 (Django's name)
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > (settings.SEGUE_IMPORT_MEGABYTES << 20) + _ALLOWANCE:
            raise RequestDataTooBig("The file is larger than this installation takes.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
