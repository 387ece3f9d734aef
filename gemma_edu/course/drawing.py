"""A figure as a picture with words for those who do not see it."""
import io

from matplotlib.figure import Figure

DPI = 110


class Picture:
    """A PNG and its alt text; what a notebook keeps, shows and reads aloud."""

    def __init__(self, png, alt):
        self.png, self.alt = png, alt

    def __repr__(self):
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.alt, "image/png": self.png}, {"image/png": {"alt": self.alt}}


def picture(figure: Figure, alt: str) -> Picture:
    """Show a figure; `alt` says in one or two sentences what is to be seen in it."""
    if not isinstance(figure, Figure):
        raise TypeError(f"picture takes a matplotlib Figure, not {type(figure).__name__}")
    if not alt.strip():
        raise ValueError("a picture needs alt text: say in a sentence what is to be seen")
    return Picture(png(figure), alt)


def png(figure, dpi=DPI) -> bytes:
    """The figure as PNG, without the time or the version that would make it differ."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()
