"""A CPU of three instructions, as somebody outside this repository would write one."""
