"""One tree of settings: shipped profile, ``segstream.toml``, environment, flags."""

from stream.settings.declarations import Accumulator, Feature
from stream.settings.loading import load
from stream.settings.tree import (
    CustomerSettings,
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
