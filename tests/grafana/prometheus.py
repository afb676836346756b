"""A real Prometheus: the binary of Debian's package, on 127.0.0.1, with our rules and a folder of its own."""

from __future__ import annotations

import json
import math
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from consumers.embedded import HOST, ChildServer
from stream.errors import SettingsError
from tests.prometheus.rules import FOLDER, RULE_FILES


class Prometheus(ChildServer):
    """Scrapes ``ports`` (role -> port) each second, as the committed configuration scrapes the services of compose."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        super().__init__("prometheus")
        binary = shutil.which("prometheus")
        if binary is None:
            raise SettingsError("prometheus is not installed (Debian: prometheus)")
        self._binary, self._ports = binary, ports

    def command(self) -> Sequence[str]:
        """See ``ChildServer``."""
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(self._configuration()))
        return [
            self._binary,
            f"--config.file={file}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
        ]

    def is_ready(self) -> bool:
        """See ``ChildServer``."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def api(self, path: str, **parameters: str) -> Any:
        """The data of an answer. Fails with what Prometheus says of a query that it refuses."""
        url = f"http://{HOST}:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def values(self, expr: str) -> list[float]:
        """What an instant query answers now; without what is no number."""
        answer = self.api("query", query=expr)
        pairs = [answer["result"]] if answer["resultType"] == "scalar" else [one["value"] for one in answer["result"]]
        return [value for value in (float(text) for _, text in pairs) if math.isfinite(value)]

    def _configuration(self) -> dict[str, Any]:
        committed: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        committed["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        committed["rule_files"] = [str(Path(file)) for file in RULE_FILES]
        (job,) = committed["scrape_configs"]
        job["static_configs"] = [
            {"targets": [f"{HOST}:{port}"], "labels": {"role": role}} for role, port in self._ports.items()
        ]
        return committed
