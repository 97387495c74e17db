"""What a tenant should have in the cluster: pure functions from resources to plain manifests."""
