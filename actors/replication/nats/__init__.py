"""The log, the beats and the requests of a cluster, over NATS. The only importer of its client."""
