"""Side by side with the peers: what an operation costs, here and there. See README.md."""
