"""The `cluster` fixture's promises."""

from tests.clusters import Cluster


def test_the_cluster_serves_our_kinds_to_the_operator(cluster: Cluster) -> None:
    arguments = ["--kubeconfig", str(cluster.operator_kubeconfig), "get", "piecedtenants,piecedpackages"]
    of_nobody = ["--selector=nobody-has-this-label", "--output=name"]  # other tests may have made some
    assert cluster.kubectl(*arguments, *of_nobody) == ""
