"""What ``isales doctor`` finds out, step by step."""
