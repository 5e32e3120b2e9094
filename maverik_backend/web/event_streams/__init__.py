"""Events of turns on the wire: encoders, and the responses that send them as they come."""
