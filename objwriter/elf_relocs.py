"""The relocation sections of an ELF object: kinds to records, labels that records refer to, addends of REL.

RELA keeps the addend in the record.  REL keeps it in the field, in whatever form the instruction has it, and the linker
reads it from there; of an address in two halves it reads both, so the records of the halves stand together.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Literal

from objwriter.model import (
    B_LOCAL,
    K_NONE,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
)
from objwriter.relocs import GOT_NAME, GOT_SYMBOL, LABEL, Relocs, load_relocs
from objwriter.relocs.records import Record, Records
from objwriter.relocs.fields import HIGH, LOW, store_field

_FLAGS = LABEL | GOT_SYMBOL


class RelocWriter:
    """Makes the relocation sections of one object.  `labels` are symbols to add behind the object's own; `place` is
    then the number of each symbol in the file."""

    __slots__ = ("obj", "relocs", "labels", "label_at", "got", "place", "order", "starts")

    def __init__(self, obj: Object) -> None:
        self.obj = obj
        self.relocs: Relocs = load_relocs(obj.target)
        self.labels: list[Symbol] = []
        self.label_at: dict[tuple[int, int], int] = {}
        self.got = -1
        self.place: list[int] = []
        self.order = ">" if obj.target.big_endian else "<"
        self.starts: list[list[int]] = []
        self._make_labels()

    def _make_labels(self) -> None:
        """A local label for each place whose records refer to one; the global offset table, where one does."""
        table = self.relocs.table
        kinds = {key for key, records in table.items() if any(type_ & _FLAGS for _, type_, _ in records)}
        if not kinds:
            return
        first = len(self.obj.symbols)
        for number, s in enumerate(self.obj.sections):
            for r in s.relocs:
                if (r.kind, r.size) not in kinds:
                    continue
                for _, type_, _ in table[r.kind, r.size]:
                    if type_ & LABEL and (number, r.off) not in self.label_at:
                        self.label_at[number, r.off] = first + len(self.labels)
                        name = f".Lpcrel_hi{len(self.label_at) - 1}"
                        self.labels.append(Symbol(name, number, r.off, 0, K_NONE, B_LOCAL))
                    elif type_ & GOT_SYMBOL and self.got < 0:
                        self.got = self._got_symbol()

    def _got_symbol(self) -> int:
        for i, s in enumerate(self.obj.symbols):
            if s.name == GOT_NAME and s.binding != B_LOCAL:
                return i
        self.labels.append(Symbol(GOT_NAME, UNDEF))
        return len(self.obj.symbols) + len(self.labels) - 1

    def pack(self, number: int, data: bytes | bytearray) -> tuple[bytes, bytes | bytearray]:
        """The relocation section of section `number`, and its contents with the addends that stand there."""
        obj, target = self.obj, self.obj.target
        s = obj.sections[number]
        is64, rela = target.bits == 64, target.rela
        parts: list[bytes] = []
        append = parts.append
        pack = Struct(self.order + (("QQq" if is64 else "IIi") if rela else ("QQ" if is64 else "II"))).pack
        shift = 32 if is64 else 8
        limit = 1 << (32 if is64 and not target.split_info else 8)  # type numbers
        word = target.bits
        low, high = -1 << word - 1, 1 << (word - 1 if rela else word)
        place = self.place
        if not is64 and len(place) >= 1 << 24:
            raise ObjectError(f"{len(place)} symbols: a relocation of 32-bit ELF has 24 bits for one")
        table, choose = self.relocs.table, self.relocs.choose
        chosen: dict[tuple[str, int], Callable[[Relocation], Records]] = {}
        if not rela:
            data = bytearray(data)
        for r in s.relocs if rela else self._paired(s):
            records = table.get((r.kind, r.size))
            if records is None:
                records = self._raw(s, r, limit)
            elif choose and (r.kind, r.size) in choose:
                key = r.kind, r.size
                if key not in chosen:
                    chosen[key] = choose[key](s, self._starts(number))
                records = chosen[key](r)
            if r.symbol == self.got:  # the table itself, not an entry of it
                records = tuple(record for record in records if record[1] & GOT_SYMBOL) or records
            symbol = place[r.symbol]
            if not low <= r.add < high:
                raise self._error(s, r, f"addend {r.add} does not fit {word} bits")
            for offset, type_, plus in records:
                to, add = symbol, r.add + plus
                if type_ & _FLAGS:
                    to, add, type_ = self._other(number, r, type_, add)
                if target.split_info:  # r_sym, r_ssym, r_type3, r_type2, r_type instead of one number
                    info = to << 32 | type_ if target.big_endian else to | type_ << 56
                else:
                    info = to << shift | type_
                if rela:
                    if add >= high:
                        raise self._error(s, r, f"addend {add} does not fit {word} bits")
                    append(pack(r.off + offset, info, add))
                else:
                    append(pack(r.off + offset, info))
            if not rela:
                assert isinstance(data, bytearray)
                self._store(s, r, records, data)
        return b"".join(parts), data

    def _other(self, number: int, r: Relocation, type_: int, add: int) -> tuple[int, int, int]:
        """Symbol, addend and type of a record that names another symbol than the relocation does."""
        if type_ & LABEL:
            return self.place[self.label_at[number, r.off]], 0, type_ ^ LABEL
        return self.place[self.got], add, type_ ^ GOT_SYMBOL

    def _starts(self, number: int) -> list[int]:
        if not self.starts:
            self.starts = self.obj.code_starts()
        return self.starts[number]

    def _paired(self, s: Section) -> list[Relocation]:
        """The relocations with those of the halves of an address together: high halves, then low ones."""
        fields = self.relocs.fields
        if HIGH not in fields.values():
            return s.relocs
        out: list[Relocation] = []
        groups: dict[tuple[int, int], tuple[list[Relocation], list[Relocation]]] = {}
        for r in s.relocs:
            records = self.relocs.table.get((r.kind, r.size), ())
            rule = fields.get(records[0][1]) if records else None
            if rule in (HIGH, LOW):
                groups.setdefault((r.symbol, r.add), ([], []))[rule == LOW].append(r)
            else:
                out.append(r)
        for highs, lows in groups.values():
            if highs and not lows:
                raise self._error(s, highs[0], f"{highs[0].kind} without the low half of the same address")
            out += highs + lows
        return out

    def _raw(self, s: Section, r: Relocation, limit: int) -> Records:
        prefix, _, number = r.kind.partition(":")
        if prefix == "ELF" and number.isascii() and number.isdigit() and len(number) < 11 and int(number) < limit:
            record: Record = (0, int(number), 0)
            return (record,)
        raise self._error(s, r, f"cannot express {r.kind} of {r.size} bytes in ELF for {self.obj.target.name}")

    def _store(self, s: Section, r: Relocation, records: Records, data: bytearray) -> None:
        """REL keeps the addend in the field: the number must fit it."""
        byte_order: Literal["big", "little"] = "big" if self.obj.target.big_endian else "little"
        rule = self.relocs.fields.get(records[0][1])
        end = r.off + r.size
        if rule is not None and r.size == 4:
            word = store_field(rule, int.from_bytes(data[r.off : end], byte_order), r.add)
            if word is None:
                raise self._error(s, r, f"addend {r.add} does not fit the instruction")
            data[r.off : end] = word.to_bytes(4, byte_order)
            return
        bits = 8 * r.size
        if r.add and not -(1 << bits) <= 2 * r.add < 2 << bits:
            raise self._error(s, r, f"addend {r.add} does not fit {r.size} bytes")
        data[r.off : end] = (r.add & (1 << bits) - 1).to_bytes(r.size, byte_order)

    def _error(self, s: Section, r: Relocation, what: str) -> ObjectError:
        return ObjectError(f"{what} ({self.obj.symbols[r.symbol].name}, {s.name}+{r.off:#x})")
