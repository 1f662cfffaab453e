"""mochic: an ahead-of-time compiler for Mochi."""

__version__ = "0.2.0"
