"""Every verb as a command. Only this folder prints; it asks the clock, and hands the time on."""
