"""Figures with knobs: live in JupyterLab and Colab, a picture on GitHub, on paper and in tests."""
import base64
import html
import io
from importlib.util import find_spec

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.image import imsave

from .drawing import Picture, png

LIVE = "application/vnd.jupyter.widget-view+json"
DPI = 80            # while a slider moves: a third of the time of a printed figure


def explore(draw, alt, **knobs):
    """A figure that answers its knobs: `explore(draw, "…", depth=(2, 64, 16), norm=["rms", "none"])`.

    `draw(**values)` returns a Figure, or an RGB array [rows, columns, 3] of bytes.  A knob is
    (lowest, highest, first) or (lowest, highest, first, step), a list of choices whose first is
    shown first, or True or False for a switch.
    """
    return Explorer(draw, alt, {name: checked(name, knob) for name, knob in knobs.items()})


def checked(name, knob):
    """The knob, or an error that says how to write one."""
    if isinstance(knob, bool) or isinstance(knob, list) and knob:
        return knob
    if isinstance(knob, tuple) and len(knob) in (3, 4) and knob[0] <= knob[2] <= knob[1]:
        return knob
    raise ValueError(f"{name} = {knob!r} is no knob; give (lowest, highest, first), a list of "
                     "choices, or True or False")


class Explorer:
    """A drawing function, its knobs, and the picture that they show now."""

    def __init__(self, draw, alt, knobs):
        self.draw, self.alt, self.knobs = draw, alt, knobs

    def first(self):
        """The values that the knobs begin with."""
        return {name: knob[0] if isinstance(knob, list) else knob if isinstance(knob, bool) else knob[2]
                for name, knob in self.knobs.items()}

    def frame(self, **values):
        """The picture for some values, as PNG."""
        return encoded(self.draw(**values))

    def _ipython_display_(self):
        still = Picture(self.frame(**self.first()), self.alt)
        data, metadata = still._repr_mimebundle_()
        if find_spec("ipywidgets"):
            data |= {LIVE: {"version_major": 2, "version_minor": 0, "model_id": self.live(still.png).model_id}}
        display(data, metadata=metadata, raw=True)

    def live(self, still):
        """Sliders above a picture that follows them."""
        import ipywidgets
        controls = {name: control(name, knob) for name, knob in self.knobs.items()}
        image = ipywidgets.HTML(tag(still, self.alt))

        def redraw(change):
            values = {name: each.value for name, each in controls.items()}
            image.value = tag(self.frame(**values), self.alt)
        for each in controls.values():
            each.observe(redraw, "value")
        return ipywidgets.VBox([*controls.values(), image])


def control(name, knob):
    """The widget for a knob."""
    import ipywidgets
    words, wide = {"description": name.replace("_", " "), "style": {"description_width": "9em"}}, {"width": "28em"}
    if isinstance(knob, bool):
        return ipywidgets.Checkbox(value=knob, **words)
    if isinstance(knob, list):
        return ipywidgets.Dropdown(options=knob, value=knob[0], layout=wide, **words)
    low, high, first, *step = knob
    slider = ipywidgets.IntSlider if all(isinstance(each, int) for each in knob) else ipywidgets.FloatSlider
    step = step[0] if step else 1 if slider is ipywidgets.IntSlider else (high - low) / 50
    return slider(value=first, min=low, max=high, step=step, layout=wide, **words)


def encoded(drawn):
    """A Figure or an RGB array as PNG."""
    if isinstance(drawn, Figure):
        return png(drawn, DPI)
    if isinstance(drawn, np.ndarray) and drawn.dtype == np.uint8 and drawn.ndim == 3:
        return array_png(drawn)
    raise TypeError(f"draw returned {type(drawn).__name__}; return a matplotlib Figure, or an array [rows, columns, 3] "
                    "of bytes")


def array_png(pixels):
    """An array as PNG, without matplotlib's drawing: milliseconds."""
    out = io.BytesIO()
    imsave(out, pixels, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 1})
    return out.getvalue()


def tag(picture, alt):
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
