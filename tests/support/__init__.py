"""What tests share: material that is made, never stored."""
