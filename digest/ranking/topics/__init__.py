"""What articles say to the editors' topics, and what the topics' terms do. Pure."""
