"""The embedded advisor: rules, articles and sums that answer inside the process, without a service."""
