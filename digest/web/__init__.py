"""The pages behind the links in the mail. Only this folder knows requests; templates are filled by `editions.render`.

A GET never changes anything. A signed token is its own authority, and there are no cookies for readers.
"""
