"""Certificates of an authority that nobody else trusts, made by the openssl command line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from stream.errors import SettingsError

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Signs for one day. Raises ``SettingsError`` when there is no openssl."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            raise SettingsError("openssl is not installed")
        self._folder = folder
        self.file = folder / "authority.pem"
        """What its clients trust: for ``kafka.ca_file``."""
        self._key = folder / "authority.key"
        self._openssl(
            *("req", "-x509", *_KEY, "-days", "1", "-subj", "/CN=segstream benchmarks"),
            *("-keyout", str(self._key), "-out", str(self.file)),
        )

    def certificate(self, name: str, host: str, days: int = 1) -> str:
        """Key and certificate of a server, as PEM. ``host`` as in "IP:127.0.0.1"; negative ``days``: it is over."""
        key, request, signed, extra = (self._folder / f"{name}.{kind}" for kind in ("key", "csr", "pem", "ext"))
        extra.write_text(f"subjectAltName={host}")
        self._openssl("req", *_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        self._openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(self.file), "-CAkey", str(self._key)),
            *("-CAcreateserial", "-days", str(days), "-extfile", str(extra), "-out", str(signed)),
        )
        return key.read_text() + signed.read_text()

    @staticmethod
    def _openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
