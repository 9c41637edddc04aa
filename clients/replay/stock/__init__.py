"""The bytes that are played: packets written and signed beforehand, in processes of their own."""
