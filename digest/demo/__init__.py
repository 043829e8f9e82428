"""One whole day on one machine: bundled sample feeds over HTTP, a real SMTP server, three sample subscribers."""
