"""Many threads and tasks at once, on what all of them share."""
