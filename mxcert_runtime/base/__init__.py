"""Values without a world: what every room above may use, and what knows none of them."""
