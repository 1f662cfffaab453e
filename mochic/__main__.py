from mochic.cli import main

main(prog_name="mochi")
