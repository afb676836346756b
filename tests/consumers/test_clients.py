from __future__ import annotations

import subprocess
import sys

import pytest

from consumers.clients import clients
from consumers.kafka_source import KafkaSource
from consumers.kafka_tail import KafkaTail
from consumers.librdkafka_source import LibrdkafkaSource
from consumers.librdkafka_tail import LibrdkafkaTail
from producers.kafka_sink import KafkaSink
from producers.librdkafka_sink import LibrdkafkaSink
from stream.errors import SettingsError
from stream.settings import KafkaSettings


def test_the_setting_chooses_all_three() -> None:
    ours, theirs = clients(KafkaSettings()), clients(KafkaSettings(client="librdkafka"))
    assert (ours.source, ours.sink, ours.tail) == (KafkaSource, KafkaSink, KafkaTail)
    assert (theirs.source, theirs.sink, theirs.tail) == (LibrdkafkaSource, LibrdkafkaSink, LibrdkafkaTail)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("consumers.librdkafka_", "producers.librdkafka_"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(SettingsError, match=r"kafka\.client .*pip install 'segstream\[librdkafka\]'"):
        clients(KafkaSettings(client="librdkafka"))


def test_nothing_is_loaded_of_a_client_that_was_not_chosen() -> None:
    loading = "import sys, consumers.build; sys.exit('confluent_kafka' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loading], check=False, timeout=60).returncode == 0
