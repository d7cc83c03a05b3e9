"""Does the wiring, geometry or activity of real cortex help a recurrent network learn?"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
