"""Everything of Pieced that talks to Kubernetes: tenants as they are wanted, and as they are."""
