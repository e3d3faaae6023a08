"""Device profiles: how a vendor's topics and payloads become readings."""
