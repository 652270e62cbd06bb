"""The compatibility table: ordinary programs of many clients, judged by what servers saw."""
