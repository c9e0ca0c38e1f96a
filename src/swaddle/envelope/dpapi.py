"""Windows' own keeping of a secret for one user (DPAPI), through ctypes; on other systems it says that it is not there.

BUG: written from Microsoft's documentation of CryptProtectData and CryptUnprotectData; no test has run it on Windows.
"""

from __future__ import annotations

import sys

from swaddle.envelope.refusals import KeyFileUnreadable

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _NO_DIALOGUE = 0x1  # CRYPTPROTECT_UI_FORBIDDEN: a service has nobody to ask

    class _Blob(ctypes.Structure):
        _fields_ = (("size", wintypes.DWORD), ("data", ctypes.POINTER(ctypes.c_char)))

    def _call(name: str, data: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(data, len(data))
        given = _Blob(len(data), ctypes.cast(buffer, ctypes.POINTER(ctypes.c_char)))
        taken = _Blob()
        function = getattr(ctypes.windll.crypt32, name)
        if not function(ctypes.byref(given), None, None, None, None, _NO_DIALOGUE, ctypes.byref(taken)):
            raise KeyFileUnreadable("Windows does not open it for this user")
        try:
            return ctypes.string_at(taken.data, taken.size)
        finally:
            ctypes.windll.kernel32.LocalFree(taken.data)

    def protect(secret: bytes) -> bytes:
        """A blob that only the current user of this machine opens."""
        return _call("CryptProtectData", secret)

    def unprotect(blob: bytes) -> bytes:
        """The secret of such a blob.

        Raises:
            KeyFileUnreadable: another user's, another machine's, or changed.
        """
        return _call("CryptUnprotectData", blob)

else:

    def protect(secret: bytes) -> bytes:  # noqa: ARG001 -- the same signature as on Windows
        """A blob that only the current user of this machine opens; Windows only."""
        raise KeyFileUnreadable("DPAPI is there on Windows only")

    def unprotect(blob: bytes) -> bytes:  # noqa: ARG001 -- the same signature as on Windows
        """The secret of such a blob; Windows only."""
        raise KeyFileUnreadable("DPAPI is there on Windows only")
