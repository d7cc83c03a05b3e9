"""Does the wiring, geometry or activity of real cortex help a recurrent network learn?"""

from biosernn._version import __version__

__all__ = ["__version__"]
