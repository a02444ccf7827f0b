"""The courier: claims what is due, feeds it to the host processes, and commits what they report."""
