"""What operators rely on: clean-up of expired rows and the health of the parts."""
