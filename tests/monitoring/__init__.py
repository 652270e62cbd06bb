"""What is counted, logged and due."""
