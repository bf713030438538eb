"""Pictures of one call of pooling: SVG with NumPy alone, PNG and GIF with Pillow."""

from .raster import gif, png
from .scene import Scene, scene
from .svg import svg

__all__ = ["Scene", "gif", "png", "scene", "svg"]
