"""Frame maps: at each call the slots of exactly the live traced values are marked."""

from __future__ import annotations

import ctypes

import pytest

from mochic.ir.parser import parse_module
from native import Native, available

pytestmark = pytest.mark.skipif(not available(), reason="runs amd64 code in this process")


def slots_at_calls(text: str, name: str = "f", args: tuple[int, ...] = ()) -> list[list[int]]:
    """Offsets from @obj of the traced words at each call of @see."""
    seen: list[list[int]] = []

    def see() -> None:
        seen.append(sorted(w - n.addresses["obj"] for w in n.live_slots()))

    n = Native(parse_module("data @obj data align 8 size 4096\nextern @see()\n" + text), {"see": see})
    n.call(name, list(args))
    return seen


def ref(i: int, offset: int) -> str:
    # Through a parameter of a block: an address of a symbol alone needs no slot.
    return f"v{i} ref = symaddr @obj+{offset}\n"


def test_only_live_values_are_marked() -> None:
    text = f"""
fun @f() i64 {{
b0:
    {ref(0, 8)}{ref(1, 16)}
    jump b1(v0, v1)
b1(v2 ref, v3 ref):
    call @see()
    v4 i64 = ld v3
    call @see()
    v5 i64 = ld v2
    call @see()
    v6 i64 = add v4, v5
    ret v6
}}"""
    assert slots_at_calls(opaque(text)) == [[8, 16], [8], []]


def opaque(text: str) -> str:
    """Make the block's arguments unknown: the parameters of a function that @f calls."""
    head, _, rest = text.partition("jump b1(v0, v1)\nb1(v2 ref, v3 ref):")
    body = rest.rpartition("}")[0]
    return head + "v9 i64 = call @g(v0, v1)\n    ret v9\n}\n\nfun @g(v2 ref, v3 ref) i64 {\nb0:\n" + body + "}"


def test_a_pointer_keeps_its_base() -> None:
    text = f"""
fun @f() i64 {{
b0:
    {ref(0, 8)}{ref(1, 16)}
    jump b1(v0, v1)
b1(v2 ref, v3 ref):
    v4 i64 = ld v2
    v5 ptr = add v3, v4
    call @see()
    v6 i64 = ld v5
    ret v6
}}"""
    assert slots_at_calls(opaque(text)) == [[16]]


def test_pointers_with_different_bases() -> None:
    text = f"""
fun @g(v0 ref, v1 ref, v2 i64) i64 {{
b0:
    v3 i32 = trunc32 v2
    brif v3, b1, b2
b1:
    v4 i64 = iconst 8
    v5 ptr = add v0, v4
    jump b3(v5)
b2:
    v6 i64 = iconst 16
    v7 ptr = add v1, v6
    jump b3(v7)
b3(v8 ptr):
    call @see()
    v9 i64 = ld v8
    ret v9
}}

fun @f(v0 i64) i64 {{
b0:
    {ref(1, 8)}{ref(2, 64)}
    v3 i64 = call @g(v1, v2, v0)
    ret v3
}}"""
    assert slots_at_calls(text, args=(1,)) == [[8]]
    assert slots_at_calls(text, args=(0,)) == [[64]]


def test_many_slots_use_a_long_bitmap() -> None:
    n = 80
    loads = "\n".join(f"    v{100 + i} ref = ld v0+{8 * i}" for i in range(n))
    uses = "\n".join(f"    st v1+{8 * i}, v{100 + i}" for i in range(n))
    text = f"""
data @table data align 8 size {8 * n} = {"00" * 8 * n} {" ".join(f"{{{8 * i}: @obj+{8 * i}}}" for i in range(n))}
data @out data align 8 size {8 * n}

fun @f() {{
b0:
    v0 ptr = symaddr @table
    v1 ptr = symaddr @out
{loads}
    call @see()
{uses}
    ret
}}"""
    assert slots_at_calls(text) == [[8 * i for i in range(n)]]


def test_records_name_function_and_line() -> None:
    m = parse_module("extern @see()\nfun @f() {\nb0:\n    call @see() !5\n    call @see() !7\n    ret\n}")
    found: list[tuple[int, bytes]] = []

    def see() -> None:
        at = n.records[ctypes.c_uint64.from_address(n.sp.value).value]
        info = at + 12 + ctypes.c_int32.from_address(at + 12).value
        length = ctypes.c_uint32.from_address(info + 4).value
        found.append((ctypes.c_uint32.from_address(at + 8).value, ctypes.string_at(info + 20, length)))

    n = Native(m, {"see": see}, lines=lambda pos: (None, pos * 10))
    n.call("f", [])
    assert found == [(50, b"f"), (70, b"f")]
