"""Texts as rows of coloured boxes, one for each token: drawn pixel by pixel, so that a slider need not wait."""
from functools import cache
from unicodedata import east_asian_width

import numpy as np
from matplotlib import get_data_path
from matplotlib.colors import to_rgb
from matplotlib.font_manager import fontManager
from PIL import Image, ImageDraw, ImageFont

from .. import plot
from ..drawing import DPI

WIDE_FONTS = ["Noto Sans Mono CJK TC", "Noto Sans CJK TC", "PingFang TC", "Heiti TC", "Microsoft JhengHei",
              "Noto Sans CJK JP", "Arial Unicode MS", "WenQuanYi Zen Hei", "Droid Sans Fallback"]
SHARP = 2                               # drawn so many times larger, then made small again
COLUMN, LINE, MARGIN = 11.8, 40, 6      # pixels
GAP = 0.45                              # between two pieces, in columns
POINTS = COLUMN / 0.602                 # of a font whose characters are 0.602 of its size wide
WHITE, INK, BYTE = (255, 255, 255), plot.INK, plot.VERMILION


def tint(colour):
    return tuple(int(255 * (1 - 0.38 * (1 - part))) for part in to_rgb(colour))


TINTS = [tint(colour) for colour in (plot.SKY, plot.ORANGE, plot.GREEN, plot.PURPLE, plot.BLUE)]


def pieces(rows, columns=86):
    """Each named list of pieces as coloured boxes; a byte is outlined."""
    return framed(painted(rows, columns))


def framed(pixels):
    """An array as a figure of its size."""
    fig, ax = plot.figure(width=pixels.shape[1] / DPI, height=pixels.shape[0] / DPI)
    fig.set_layout_engine("none")
    ax.remove()
    fig.set_dpi(DPI)
    fig.figimage(pixels)
    return fig


def painted(rows, columns=86):
    """The same as an array of bytes [rows, columns, 3]."""
    return inked([line for name, row in rows.items() for line in wrapped(name, row, columns)], columns)


def inked(lines, columns):
    """Lines of (column, colour, piece) on white; what has no colour is plain words."""
    wide, high = int(columns * COLUMN) + 2 * MARGIN, len(lines) * LINE + MARGIN
    image = Image.new("RGB", (wide * SHARP, high * SHARP), WHITE)
    paint = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        left, middle = MARGIN, (number + 0.5) * LINE
        for at, colour, piece in line:
            if colour is None:
                text(paint, left + at * COLUMN, middle + 2, piece, font("DejaVuSans-Bold.ttf", 15.5), INK, "lm")
            else:
                box(paint, left + at * COLUMN, middle, piece, TINTS[colour % len(TINTS)])
    return np.asarray(image.reduce(SHARP))


def wrapped(name, row, columns):
    """A line with the name, then lines of (column, number, piece)."""
    yield [(0, None, name)]
    line, at = [], 0.0
    for number, piece in enumerate(row):
        if at + cells(piece) > columns:
            yield line
            line, at = [], 0.0
        line.append((at, number, piece))
        at += cells(piece) + GAP
    yield line


def cells(piece):
    """Columns that a piece takes; an East Asian character takes two."""
    return sum(width(char) for char in shown(piece))


def width(char):
    return 2 if east_asian_width(char) in "WF" else 1


def shown(piece):
    return piece[3:5] if is_byte(piece) else piece.replace("\n", "↵")


def is_byte(piece):
    return piece.startswith("<0x")


def box(paint, left, middle, piece, colour):
    """One piece: a box, and its characters on a grid."""
    right = left + cells(piece) * COLUMN
    corners = [SHARP * each for each in (left - 2, middle - 15, right + 2, middle + 15)]
    look = {"fill": WHITE, "outline": BYTE, "width": 3} if is_byte(piece) else {"fill": colour}
    paint.rounded_rectangle(corners, radius=5 * SHARP, **look)
    ink = BYTE if is_byte(piece) else INK
    for char in shown(piece):
        left += width(char) * COLUMN
        character(paint, left - width(char) * COLUMN / 2, middle + 6, char, ink)


def character(paint, centre, base, char, ink):
    if width(char) == 1:
        text(paint, centre, base, char, font("DejaVuSansMono.ttf", POINTS), ink, "ms")
    elif wide := wide_font(POINTS):
        text(paint, centre, base + 1, char, wide, ink, "ms")
    else:                                               # no font for it on this machine: its number instead
        text(paint, centre, base - 2, f"{ord(char):X}", font("DejaVuSansMono.ttf", 9), ink, "ms")


def text(paint, x, y, words, font, ink, anchor):
    paint.text((x * SHARP, y * SHARP), words, font=font, fill=ink, anchor=anchor)


@cache
def font(name, points):
    """A font that matplotlib brings along."""
    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{name}", points * SHARP)


@cache
def wide_font(points):
    """A font of this machine that knows Chinese, or None; a collection holds several under one name."""
    here = {each.name: each.fname for each in fontManager.ttflist}
    for name in filter(here.get, WIDE_FONTS):
        for number in range(10):
            try:
                found = ImageFont.truetype(here[name], points * SHARP, index=number)
            except OSError:
                break
            if found.getname()[0] == name:
                return found
    return None
