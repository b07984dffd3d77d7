"""From what a marketer writes (MJML or HTML, with Liquid) to HTML, plain text and marked links.

Compilers know no Liquid, so its tags are swapped for words before and put back after. Links and the place
of the pixel become marks: ``START kind address END``. After rendering, each mark is replaced by an address
that is checked, and tracked where it should be.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

import mrml

from channels.rendering_liquid import TemplateError

START, END = "\ue000", "\ue001"
LINK, SOURCE, TEXT_LINK, PIXEL = "l", "s", "t", "p"
MARK = re.compile(f"{START}([a-z])([^{END}]*){END}")
_SCHEMES = ("https://", "http://", "mailto:", "tel:")

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%-?\s*comment.*?endcomment\s*-?%\}|\{%.*?%\}", re.DOTALL)
_WORD = re.compile(r"xliq(\d{5})x")
_TAG = re.compile(r"<[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_ADDRESS = re.compile(
    r"(?P<before>\s(?P<name>href|src|background|action|formaction|poster|xlink:href)\s*=\s*)"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'>]+))",
    re.IGNORECASE,
)
_MJ_TAG = re.compile(r"<(?P<end>/)?(?P<name>mj[a-z-]*)\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<alone>/)?>")
_MJ_ANY = re.compile(r"</?(mj[\w-]*)", re.IGNORECASE)
#: What mrml takes as text, so that Liquid may stand there as it is.
_MJ_WORDS = frozenset(
    {
        "mj-text", "mj-button", "mj-table", "mj-raw", "mj-title", "mj-preview", "mj-style",
        "mj-social-element", "mj-accordion-title", "mj-accordion-text", "mj-navbar-link",
    }
)  # fmt: skip
_MJ_KNOWN = _MJ_WORDS | {
    "mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font",
    "mj-html-attributes", "mj-selector", "mj-html-attribute", "mj-section", "mj-column", "mj-group",
    "mj-wrapper", "mj-image", "mj-divider", "mj-spacer", "mj-hero", "mj-social", "mj-accordion",
    "mj-accordion-element", "mj-navbar", "mj-carousel", "mj-carousel-image",
}  # fmt: skip
_FORBIDDEN = (
    (re.compile(r"<\s*(script|iframe|object|embed|base|applet|frame)\b", re.IGNORECASE), "may not be used"),
    (re.compile(r"<[a-zA-Z][^>]*\s(on[a-z]+)\s*=", re.IGNORECASE), "runs script"),
    (re.compile(r"<\s*(meta)[^>]+http-equiv\s*=\s*[\"']?refresh", re.IGNORECASE), "would lead away"),
)


def is_mjml(source: str) -> bool:
    return source.lstrip().lower().startswith("<mjml")


def swap(source: str) -> tuple[str, list[str]]:
    """``source`` with each Liquid tag swapped for a word, and the tags."""
    tags: list[str] = []

    def take(match: re.Match[str]) -> str:
        tags.append(match[0])
        return f"xliq{len(tags) - 1:05d}x"

    clean = source.replace(START, "").replace(END, "")
    return _LIQUID.sub(take, clean), tags


def unix_lines(text: str) -> str:
    """``text`` with one kind of line end: browsers send another, on which the MJML compiler gives up."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def restore(text: str, tags: list[str]) -> str:
    return _WORD.sub(lambda match: tags[int(match[1])] if int(match[1]) < len(tags) else match[0], text)


def to_html(source: str) -> str:
    """HTML with Liquid in place. Raises TemplateError for what is forbidden or cannot be compiled."""
    source = unix_lines(source)
    check(source)
    if not is_mjml(source):
        return source
    swapped, tags = swap(source)
    for match in _MJ_ANY.finditer(swapped):
        if match[1].lower() not in _MJ_KNOWN:
            raise TemplateError(f"<{match[1]}> is no MJML tag", _line(swapped, match.start()))
    try:
        output = mrml.to_html(_shelter(swapped), render_options=mrml.RenderOptions(fonts={}))
    except OSError as error:
        raise TemplateError(f"MJML: {error}"[:300]) from None
    return restore(output.content, tags)


def check(source: str) -> None:
    """Raise TemplateError for script and for addresses of a scheme that no mail may carry."""
    swapped, _tags = swap(source)
    for pattern, why in _FORBIDDEN:
        if match := pattern.search(swapped):
            raise TemplateError(f"“{match[1].lower()}” {why}", _line(swapped, match.start()))
    for tag in _TAG.finditer(swapped):
        for match in _ADDRESS.finditer(tag[0]):
            value = html.unescape(_value(match)).strip()
            if value and not _WORD.match(value) and not safe(value):
                raise TemplateError(
                    f"the address “{value[:60]}” may not be used", _line(swapped, tag.start())
                )


# What hides from a careless reader where an address leads: blanks, and a name before the host.
_BLANK = re.compile(r"[\x00-\x20]|^https?://[^/?#]*@", re.IGNORECASE)


def safe(address: str) -> bool:
    """An address that a message may hold: absolute with a known scheme, or a place within the message."""
    if len(address) > 4_000 or _BLANK.search(address):
        return False
    lowered = address.lower()
    return lowered.startswith(("#", "cid:")) or (lowered.startswith(_SCHEMES) and "\\" not in lowered)


def mark_html(source: str) -> str:
    """``source`` with every address marked, and the pixel's place before the end of the body."""
    swapped, tags = swap(source)

    def mark_tag(tag: re.Match[str]) -> str:
        return _ADDRESS.sub(mark_address, tag[0])

    def mark_address(match: re.Match[str]) -> str:
        kind = LINK if match["name"].lower() == "href" else SOURCE
        return f'{match["before"]}"{START}{kind}{_value(match)}{END}"'

    marked = _TAG.sub(mark_tag, swapped)
    pixel = f"{START}{PIXEL}{END}"
    place = marked.lower().rfind("</body>")
    marked = marked + pixel if place < 0 else marked[:place] + pixel + marked[place:]
    return restore(marked, tags)


def mark_text(source: str) -> str:
    """Plain text with its written-out web addresses marked."""
    swapped, tags = swap(source)
    marked = re.sub(
        r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]", lambda match: f"{START}{TEXT_LINK}{match[0]}{END}", swapped
    )
    return restore(marked, tags)


def to_text(source: str) -> str:
    """A plain-text twin of HTML, Liquid in place, links marked behind their words."""
    swapped, tags = swap(source)
    reader = _TextReader()
    reader.feed(swapped)
    reader.close()
    return restore(reader.text(), tags)


def addresses(text: str) -> list[str]:
    """The web addresses behind the marks of links in a rendered text, as a reader would follow them."""
    found = []
    for match in MARK.finditer(text):
        if match[1] in (LINK, TEXT_LINK):
            address = _plain_address(match)
            if address.lower().startswith(("https://", "http://")) and safe(address):
                found.append(address)
    return found


def resolve(text: str, track: Callable[[str], str], pixel: str) -> str:
    """Replace the marks of a rendered text: links through ``track``, the pixel by ``pixel``'s HTML.

    An address of a forbidden scheme, or one that came out empty, becomes a link to nowhere.
    """

    def replace(match: re.Match[str]) -> str:
        kind = match[1]
        if kind == PIXEL:
            return pixel
        address = _plain_address(match)
        if not safe(address):
            return "" if kind in (SOURCE, TEXT_LINK) else "#"
        if kind != SOURCE and address.lower().startswith(("https://", "http://")):
            address = track(address)
        return address if kind == TEXT_LINK else html.escape(address)

    return MARK.sub(replace, text)


def _plain_address(match: re.Match[str]) -> str:
    return (match[2] if match[1] == TEXT_LINK else html.unescape(match[2])).strip()


def _value(match: re.Match[str]) -> str:
    return match["double"] or match["single"] or match["bare"] or ""


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _shelter(source: str) -> str:
    """Wrap Liquid that stands between MJML's building blocks in ``mj-raw``, where it survives."""
    out: list[str] = []
    stack: list[str] = []
    position = 0
    for match in _MJ_TAG.finditer(source):
        out.append(_raw(source[position : match.start()], stack))
        out.append(match[0])
        position = match.end()
        if match["end"]:
            if match["name"] in stack:
                while stack.pop() != match["name"]:
                    pass
        elif not match["alone"]:
            stack.append(match["name"])
    return "".join([*out, source[position:]])


def _raw(text: str, stack: list[str]) -> str:
    if not stack or stack[-1] in _MJ_WORDS:
        return text
    return _WORD.sub(lambda match: f"<mj-raw>{match[0]}</mj-raw>", text)


class _TextReader(HTMLParser):
    """Collects the words of a page: blocks on lines of their own, links as ``words (address)``."""

    _BLOCKS = frozenset(
        {
            "p", "div", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote",
            "section", "article", "header", "footer",
        }
    )  # fmt: skip
    _SILENT = frozenset({"head", "style", "title", "script"})
    _VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "source", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._hidden: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in self._VOID:
            self._void(tag, values)
            return
        concealed = "display:none" in values.get("style", "").replace(" ", "")
        if self._hidden or tag in self._SILENT or concealed:
            self._hidden.append(tag)
        elif tag == "a":
            self._links.append((values.get("href", ""), len(self._out)))
        elif tag == "li":
            self._out.append("\n- ")
        elif tag in self._BLOCKS:
            self._out.append("\n\n" if tag in ("p", "h1", "h2", "h3", "section") else "\n")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:
                while self._hidden.pop() != tag:
                    pass
        elif tag == "a" and self._links:
            self._close_link()
        elif tag in ("td", "th"):
            self._out.append(" ")
        elif tag in self._BLOCKS:
            self._out.append("\n\n" if tag in ("p", "h1", "h2", "h3") else "\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._out.append(re.sub(r"\s+", " ", data))

    def text(self) -> str:
        text = "".join(self._out).replace("\u00a0", " ")
        lines = [re.sub(r" {2,}", " ", line).strip() for line in text.split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"

    def _void(self, tag: str, values: dict[str, str]) -> None:
        if self._hidden:
            return
        if tag == "br":
            self._out.append("\n")
        elif tag == "hr":
            self._out.append("\n----------\n")
        elif tag == "img" and values.get("alt"):
            self._out.append(f" {values['alt']} ")

    def _close_link(self) -> None:
        href, start = self._links.pop()
        words = "".join(self._out[start:]).strip()
        if not href or href.startswith("#"):
            return
        mark = f"{START}{TEXT_LINK}{href}{END}"
        self._out.append(f" ({mark}) " if words and words != href else mark)
        if words == href:
            self._out[start:] = [mark]
