"""What happens to models once they are trained."""
