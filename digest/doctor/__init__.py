"""What `digest check` looks at beside the configuration and the database: this machine, the DNS, our own pages."""
