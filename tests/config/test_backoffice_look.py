"""Texts can be read: contrast of the colours on each other, in light and dark, by WCAG 2 AA."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from config import theme

SHEET = Path(theme.__file__).parent / "static" / "config" / "segue.css"
TEXTS = ("text", "strong", "muted", "accent", "good", "warn", "bad", "info")
TONES = ("accent", "good", "warn", "bad", "info")

Colour = tuple[float, float, float]


def luminance(colour: Colour) -> float:
    """Relative luminance of an OKLCH colour, clipped to sRGB."""
    light, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    clipped = [min(max(part, 0.0), 1.0) for part in (red, green, blue)]
    return 0.2126 * clipped[0] + 0.7152 * clipped[1] + 0.0722 * clipped[2]


def contrast(one: Colour, other: Colour) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def parse(text: str) -> Colour:
    match = re.fullmatch(r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)", text.strip())
    assert match, text
    light, chroma, hue = map(float, match.groups())
    return light / 100, chroma, hue


def tokens(selector: str) -> dict[str, Colour]:
    block = SHEET.read_text().partition(f"\n{selector} {{")[2].partition("}")[0]
    found = re.findall(r"--segue-([\w-]+): (oklch\([^)/]+\));", block)
    return {name: parse(value) for name, value in found}


LIGHT = tokens(":root")
PALETTES = {"light": LIGHT, "dark": LIGHT | tokens("html.dark")}


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ground", ["bg", "surface", "raised"])
def test_text_can_be_read_on_every_ground(palette: str, text: str, ground: str) -> None:
    colours = PALETTES[palette]

    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("tone", TONES)
def test_a_badge_can_be_read_on_its_tint(palette: str, tone: str) -> None:
    colours = PALETTES[palette]

    assert contrast(colours[tone], colours[f"{tone}-soft"]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
def test_a_filled_button_and_the_edge_of_a_field_can_be_seen(palette: str) -> None:
    colours = PALETTES[palette]

    assert contrast(colours["on-accent"], colours["solid"]) >= 4.5
    assert contrast(colours["strong-border"], colours["surface"]) >= 3


def test_the_frame_around_our_pages_can_be_read() -> None:
    greys, petrol = theme.UNFOLD["COLORS"]["base"], theme.UNFOLD["COLORS"]["primary"]
    white = (1.0, 0.0, 0.0)
    dark = parse(greys["900"])

    assert contrast(parse(petrol["600"]), white) >= 4.5
    assert contrast(parse(petrol["600"]), parse(greys["100"])) >= 4.5
    assert contrast(parse(petrol["500"]), dark) >= 4.5
    assert contrast(parse(greys["500"]), parse(greys["100"])) >= 4.5
    assert contrast(parse(greys["400"]), dark) >= 4.5


def test_the_dark_colours_of_public_pages_are_those_of_the_back_office() -> None:
    sheet = SHEET.read_text()
    automatic = sheet.partition("html.auto {")[2].partition("}")[0]
    named = dict(re.findall(r"(--segue-[\w-]+): ([^;]+);", automatic))
    dark = dict(
        re.findall(r"(--segue-[\w-]+): ([^;]+);", sheet.partition("\nhtml.dark {")[2].partition("}")[0])
    )

    assert {name: value for name, value in dark.items() if "chart" not in name} == named
