"""Random numbers: named streams, hashing, noise, and the variabilities drawn from them."""
