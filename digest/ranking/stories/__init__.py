"""Articles become stories: read, weighed, compared, joined, and each led by its best article. Pure."""
