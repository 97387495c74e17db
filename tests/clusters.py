"""The type of the `cluster` fixture, under the name that tests import."""

from pieced_local.cluster import Cluster, ClusterFailed

__all__ = ["Cluster", "ClusterFailed"]
