"""The SPIFFE Workload API: a real client, and an agent that really streams."""
