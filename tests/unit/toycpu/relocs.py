"""The toy's relocations in ELF."""

NUMBERS = {"R_TOY_WORD": 1, "R_TOY_CALL": 2, "R_TOY_RELATIVE": 3}
ROWS = """
# kind/size    elf
R_ADDR/4       0:R_TOY_WORD
R_TOYCALL/4    0:R_TOY_CALL
R_PCREL32/4    0:R_TOY_RELATIVE
"""
