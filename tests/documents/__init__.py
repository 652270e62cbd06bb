"""README.md and docs/: links, snippets, and the story that they tell, tried as it stands there."""
