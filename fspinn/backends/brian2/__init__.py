"""The reference: the same network as equations that Brian2 integrates."""
