"""One tree of settings: shipped profile, ``segstream.toml``, environment, flags."""

from stream.settings.declarations import Accumulator, Feature
from stream.settings.loading import load
from stream.settings.tree import (
    CustomerSettings,
    Detector,
    DriftSettings,
    KafkaSettings,
    MetricsSettings,
    ModelKind,
    ModelSettings,
    PageSettings,
    RedisSettings,
    TopicSettings,
    Tree,
    ValueSettings,
    WorkerSettings,
)

__all__ = [
    "Accumulator",
    "CustomerSettings",
    "Detector",
    "DriftSettings",
    "Feature",
    "KafkaSettings",
    "MetricsSettings",
    "ModelKind",
    "ModelSettings",
    "PageSettings",
    "RedisSettings",
    "TopicSettings",
    "Tree",
    "ValueSettings",
    "WorkerSettings",
    "load",
]
