"""Documents of market data become values with the digits that were published: the reference rates, and any mapped CSV or XML."""
