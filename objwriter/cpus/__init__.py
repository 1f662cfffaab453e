"""What unwind information needs to know of each CPU, one module for each (objwriter.unwind loads them)."""
