"""docker-compose.yml: it cannot start where there is no container engine, but what it says can be checked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.settings import Tree, load

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "segstream"]
STAYING = [name for name in SERVICES if name != "topics"]
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())


def settings_of(service: str) -> Tree:
    """The settings that segstream would read in this service."""
    return load(environ=SERVICES[service]["environment"])


def targets() -> dict[str, int]:
    """Host -> port of everything that Prometheus scrapes as segstream."""
    (job,) = (job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "segstream")
    pairs = (target.split(":") for config in job["static_configs"] for target in config["targets"])
    return {host: int(port) for host, port in pairs}


def test_the_services_are_there() -> None:
    assert set(SERVICES) == {
        "kafka",
        "redis",
        "topics",
        "worker-0",
        "worker-1",
        "owner",
        "page",
        "prometheus",
        "grafana",
    }
    assert set(OURS) == {"topics", "worker-0", "worker-1", "owner", "page"}


@pytest.mark.parametrize("name", STAYING)
def test_every_service_that_stays_up_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_images_are_pinned() -> None:
    others = [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert all(re.fullmatch(r"[\w/]+:v?\d+\.\d+[\w.-]*", image) for image in others), others


def test_one_service_builds_the_image_of_all_of_ours_and_nobody_looks_for_it_elsewhere() -> None:
    building = {name: service["build"] for name, service in SERVICES.items() if "build" in service}
    assert building == {"topics": {"context": ".", "dockerfile": "deploy/Dockerfile"}}
    assert {name: SERVICES[name]["pull_policy"] for name in OURS} == dict.fromkeys(OURS, "never") | {"topics": "build"}


def test_all_of_ours_are_told_the_same_number_of_partitions() -> None:
    """Not by its default: a service that is left out would miscount as soon as somebody changes it."""
    assert {SERVICES[name]["environment"].get("SEGSTREAM_TOPICS__PARTITIONS") for name in OURS} == {"4"}


def test_kafka_is_the_one_that_the_tests_run_against() -> None:
    pom = (ROOT / "deploy/kafka-for-tests/pom.xml").read_text()
    assert f"<version>{SERVICES['kafka']['image'].removeprefix('apache/kafka:')}</version>" in pom


def test_data_is_kept_in_named_volumes() -> None:
    kept = {
        "kafka": "/var/lib/kafka/data",
        "redis": "/data",
        "prometheus": "/prometheus",
        "grafana": "/var/lib/grafana",
    }
    for name, folder in kept.items():
        assert f"{name}-data:{folder}" in SERVICES[name]["volumes"]
        assert f"{name}-data" in COMPOSE["volumes"]
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] == kept["kafka"]


def test_whatever_is_mounted_is_there() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith("./")]
    assert files
    assert all((ROOT / file).exists() for file in files)


def test_no_port_is_open_to_the_world() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports), ports
    assert not any("network_mode" in service or service.get("privileged") for service in SERVICES.values())


def test_redis_forgets_nothing_by_itself() -> None:
    said = " ".join(SERVICES["redis"]["command"])
    for option in ("--maxmemory-policy noeviction", "--appendonly yes", "--appendfsync everysec"):
        assert option in said


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_reaches_its_neighbour(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert all(key.startswith("SEGSTREAM_") and isinstance(value, str) for key, value in environment.items())
    settings = settings_of(name)
    listeners = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"//{settings.kafka.bootstrap_servers}" in listeners
    assert settings.redis.url.get_secret_value() == "redis://redis:6379/0"
    assert settings.kafka.password is None


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_segstreams(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "consumers.cli", *SERVICES[name]["command"], "--help"]
    environment = SERVICES[name]["environment"] | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_each_worker_has_a_slot_of_its_own() -> None:
    slots = [SERVICES[name]["command"] for name in OURS if name.startswith("worker")]
    assert slots == [["worker", "--slot", "0"], ["worker", "--slot", "1"]]
    assert not any("deploy" in service for service in SERVICES.values()), "replicas would share a slot"


def test_prometheus_scrapes_every_role_where_its_health_check_looks() -> None:
    port = settings_of("owner").metrics.port
    assert targets() == {"worker-0": port, "owner": port + 1, "worker-1": port + 2}
    for name, scraped in targets().items():
        assert f"127.0.0.1:{scraped}/metrics" in SERVICES[name]["healthcheck"]["test"][-1]
        assert settings_of(name).metrics.host == "0.0.0.0"  # noqa: S104 (inside the compose network, not published)


def test_the_page_is_served_to_this_machine_only_and_asked_where_it_is_served() -> None:
    page, service = settings_of("page").page, SERVICES["page"]
    assert service["ports"] == [f"127.0.0.1:{page.port}:{page.port}"]
    assert page.host == "0.0.0.0"  # noqa: S104 (inside its container)
    assert page.names.split(",") == ["127.0.0.1", "localhost"]
    assert f"http://127.0.0.1:{page.port}/healthz" in service["healthcheck"]["test"][-1]
    assert page.token is None, "it would stand in the file"


def test_prometheus_finds_its_rules_beside_its_configuration() -> None:
    assert "./deploy/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]
    assert all((ROOT / "deploy/prometheus" / name).is_file() for name in PROMETHEUS["rule_files"])


def test_a_worker_has_time_to_drain() -> None:
    for name in ("worker-0", "worker-1", "owner"):
        grace_seconds = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert grace_seconds > settings_of(name).worker.drain_seconds


def test_roles_start_after_what_they_need() -> None:
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in ("worker-0", "worker-1", "owner", "page"):
        assert SERVICES[name]["depends_on"] == {
            "topics": {"condition": "service_completed_successfully"},
            "redis": {"condition": "service_healthy"},
        }


def test_grafana_knows_prometheus() -> None:
    (source,) = yaml.safe_load((ROOT / "deploy/grafana/datasource.yml").read_text())["datasources"]
    assert (source["type"], source["url"], source["uid"]) == (
        "prometheus",
        "http://prometheus:9090",
        "prometheus",
    )
    assert source["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


def test_grafana_shows_the_dashboards_that_are_mounted() -> None:
    (provider,) = yaml.safe_load((ROOT / "deploy/grafana/provider.yml").read_text())["providers"]
    folder = provider["options"]["path"]
    mounts = SERVICES["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in mounts
    assert "./deploy/grafana/provider.yml:/etc/grafana/provisioning/dashboards/segstream.yml:ro" in mounts
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.parent == Path(folder)
    assert (ROOT / "deploy/grafana/dashboards" / home.name).is_file()


def test_the_image_holds_only_what_ships_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)
    assert [line for line in lines if line.startswith("USER ")] == ["USER segstream"]
