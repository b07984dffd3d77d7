"""Emails designed by hand and eye: MJML taken apart for the visual editor and put together again.

``pieces`` reads MJML into a tree, ``writing`` writes it back; what nobody touched comes back as it was.
``head`` holds the preview text, ``looks`` draws what the editor itself cannot, ``editor`` knows its files.
"""
