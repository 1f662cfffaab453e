"""mochic: an ahead-of-time compiler for Mochi."""

__version__ = "0.1.0"
