"""The runtime's functions as compiled code calls them: one row each.

Row: name(params) result [flags]   what it does
Types: i32 i64 f64 ptr ref tag void.  Flags (ir.func): nogc (no safepoint), noreturn, pure, nowrite,
fixed, lookup, insert.
The bodies are in mochic/runtime/*.mochi, symbol `runtime.NAME`; a test compares the two.
Object layouts and the meaning of `tag` are in docs/runtime.md.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.func import COLD, FIXED, INSERT, LOOKUP, NOGC, NORETURN, NOWRITE, PURE, FuncSym
from mochic.ir.types import TYPE_BY_NAME

_TABLE: Final = """
# -- allocation: sizes in bytes, memory comes zeroed
alloc(ptr,i64) ref                     object of descriptor and size (slow path of the inline bump allocation)
# -- exact ints.  A `tag` here is known to be an int
int_add(tag,tag) tag pure fixed
int_sub(tag,tag) tag pure fixed
int_mul(tag,tag) tag pure fixed
int_div(tag,tag) tag pure fixed       truncating; divisor not 0
int_rem(tag,tag) tag pure fixed       sign of the dividend; divisor not 0
int_neg(tag) tag pure fixed
int_cmp(tag,tag) i64 nogc pure fixed  -1, 0, 1
int_eq(tag,tag) i32 nogc pure fixed
int_box(i64) tag pure fixed           any i64: small int, or a bigint outside 63 bits
int_word(tag) i64 nowrite
int_sat(tag) i64 nogc pure fixed      clamped to i64
int_to_f64(tag) f64 nogc pure fixed   nearest
int_from_f64(f64) tag nowrite         truncating, exact; error on NaN and Inf
# overflow paths of word arithmetic: the exact result of an operation on two words
i64_add(i64,i64) tag pure fixed
i64_sub(i64,i64) tag pure fixed
i64_mul(i64,i64) tag pure fixed
# -- errors: print the message, call graph and stack trace to stderr, exit 1
panic_div0() void noreturn             division by zero
panic_index(i64,i64) void noreturn     list index out of range: I (len N)
panic_index_int(tag,i64) void noreturn
panic_store_index() void noreturn      index out of range
panic_msg(ref) void noreturn           any message; code 1
panic_code(i64,ref) void noreturn      code for `catch`, message
try_call(tag) i32                      calls a closure without parameters; whether an error ended it
caught_code() i64 nogc                 of the error that ended the last try_call
caught_text() ref nogc                 its message
panic_expect(ref) void noreturn        expect condition failed at FILE:LINE: SRC (text given whole)
panic_overflow() void noreturn         integer counter overflow
panic_checked() void noreturn          integer overflow
panic_cast(tag,ref) void noreturn      cannot cast KIND to T (strings: cannot cast "S" to T)
exit_code(i64) void noreturn           flush, exit
# -- boxing
box_f64(f64) tag nowrite
unbox_f64(tag) f64 nogc pure fixed    tag is a float
tag_is_int(tag) i32 nogc pure fixed   small int or bigint
tag_kind(tag) i64 nogc pure fixed     K_* of the value (K_NIL K_BOOL K_INT K_FLOAT K_STRING K_LIST K_MAP K_STRUCT ...)
# -- dynamic values: the rules of docs/reference.md, 8; errors as there
dyn_add(tag,tag) tag nowrite
dyn_sub(tag,tag) tag nowrite
dyn_mul(tag,tag) tag nowrite
dyn_div(tag,tag) tag nowrite
dyn_rem(tag,tag) tag nowrite
dyn_neg(tag) tag nowrite
dyn_eq(tag,tag) i32 nowrite           structural (8.3)
dyn_same(tag,tag) i32 nowrite         structural, int and float distinct (in, set operators)
dyn_lt(tag,tag) i32 nowrite           null operands: false
dyn_le(tag,tag) i32 nowrite
dyn_cmp(tag,tag) i64 nowrite          sort order of 12.7
truthy(tag) i32 nogc pure
dyn_len(tag) i64 nowrite
dyn_in(tag,tag) i32 nowrite           needle, container
dyn_index(tag,tag) tag nowrite        container, key
dyn_set_index(tag,tag,tag) void        container, key, value
dyn_slice(tag,tag,tag) tag             value, start (nil = missing), end (nil = missing)
dyn_field(tag,ref) tag nowrite        x.f on struct, map, group, null
dyn_set_field(tag,ref,tag) void
dyn_iter(tag) ref                      a list to walk: the list itself, key snapshot, characters, empty for null
dyn_callee(tag) ref nowrite           the closure, or error "not a function"
cast_int(tag) tag nowrite             `as int`
cast_float(tag) f64 nowrite
cast_float_lenient(tag) f64 nowrite   also parses strings: float("1.5")
cast_string(tag) ref nowrite
cast_bool(tag) i32 nowrite
cast_bigint(tag) tag nowrite
cast_bigrat(tag) tag nowrite
cast_list(tag) tag nowrite            checks that it is a list, returned as it is
cast_map(tag) tag nowrite
cast_field(tag,ref,ref) tag nowrite   entry of a map (or field of a struct) by name; error missing field F for S
f64_rem(f64,f64) f64 nogc pure fixed  C fmod
f64_floor(f64) f64 nogc pure fixed
f64_ceil(f64) f64 nogc pure fixed
f64_round(f64,i64) f64 nogc nowrite   half away from zero at that many decimals
f64_pow(f64,f64) f64 nogc pure fixed
f64_sin(f64) f64 nogc pure fixed
f64_cos(f64) f64 nogc pure fixed
f64_tan(f64) f64 nogc pure fixed
f64_asin(f64) f64 nogc pure fixed
f64_acos(f64) f64 nogc pure fixed
f64_atan(f64) f64 nogc pure fixed
f64_sinh(f64) f64 nogc pure fixed
f64_cosh(f64) f64 nogc pure fixed
f64_tanh(f64) f64 nogc pure fixed
f64_exp(f64) f64 nogc pure fixed
f64_log(f64) f64 nogc pure fixed
f64_log2(f64) f64 nogc pure fixed
f64_log10(f64) f64 nogc pure fixed
f64_cbrt(f64) f64 nogc pure fixed
f64_degrees(f64) f64 nogc pure fixed
f64_radians(f64) f64 nogc pure fixed
f64_atan2(f64,f64) f64 nogc pure fixed
f64_hypot(f64,f64) f64 nogc pure fixed
int_pow(tag,tag) tag nowrite          exact; exponent <= 0 gives 1
# -- strings (REF to a string object)
str_concat(ref,ref) ref nowrite
str_concat3(ref,ref,ref) ref nowrite
str_char(i64) ref pure fixed          the string of one code point
str_code_at(ref,i64) i64 nogc pure fixed the code point of a character that is there
str_code_from(ref,i64) i64 nogc pure fixed the same by its byte offset
str_add_char(ref,i64) ref nowrite     with a code point behind it
panic_str_index(tag,i64) void noreturn string index out of range
str_slice(ref,i64,i64) ref nowrite    8.5; end I64_MAX = missing
str_eq(ref,ref) i32 nogc pure fixed
str_cmp(ref,ref) i64 nogc pure fixed  bytes
str_hash(ref) i64 nogc pure fixed
str_contains(ref,ref) i32 nogc pure fixed haystack, needle
str_starts_with(ref,ref) i32 nogc pure fixed
str_index_of(ref,ref) i64 nogc pure fixed code points, or -1
want_string(tag,ref) ref nowrite      the value if it is a string, else error NAME expects string
str_upper(ref) ref nowrite
str_lower(ref) ref nowrite
str_trim(ref) ref nowrite
str_reverse(ref) ref nowrite
str_repeat(ref,i64) ref nowrite
str_pad_start(ref,i64,ref) ref nowrite
str_split(ref,ref) ref nowrite        list of strings
str_join(ref,ref) ref nowrite         list (any element code; elements in form S), separator
str_chars(ref) ref nowrite            list of one-character strings
str_next(ref,i64) i64 nogc pure fixed byte offset of the code point after the one at byte offset
str_of_i64(i64) ref nowrite
str_of_int(tag) ref nowrite
str_of_f64(f64) ref nowrite           form G
str_of_bool(i32) ref nowrite
str_of_tag(tag) ref nowrite           form S (7.3)
str_to_int(ref) tag nowrite           `as int` of a string; error cannot cast "S" to int
parse_int_base(ref,i64) tag nowrite
# -- printing, to buffered stdout
print_i64(i64) void nowrite
print_int(tag) void nowrite
print_f64(f64) void nowrite           form G
print_bool(i32) void nowrite
print_str(ref) void nowrite
print_tag(tag) void nowrite           form P (7.1, 7.2)
print_space() void nowrite
print_newline() void nowrite
print_mark() i64 nogc nowrite         begin a line of three or more arguments: everything from here is trimmed ...
print_trim(i64) void nowrite          ... at both ends (7.6), given what print_mark returned, and a newline is added
json_print(tag) void nowrite          indented (14.4) and a newline
to_json(tag) ref nowrite              compact
# -- lists.  desc decides the element code
list_new(ptr,i64) ref nowrite         desc, length = capacity; zeroed
hold_list(tag) void nogc               a list that is used while other code runs has one holder more ...
release_list(tag) void nogc            ... and one less
mark_elements(tag) void nogc           the lists in a list, whose elements are shared from now on
list_room(ref) ref                     room for one more in place: itself, grown, or a copy if aliased
list_push(ref,tag) void                append in place
list_grow(ref,i64) void                room for that many elements
list_copy_room(ref) ref                a fresh copy with room for at least one more
mark_aliased(tag) void nogc            sets the aliased flag if the value is a list
list_concat(ref,ref) ref               same element code on both
list_slice(ref,i64,i64) ref            end I64_MAX = missing
list_get_raw(ref,i64) tag nowrite     element as a dynamic value; index known to be in range
list_set(ref,tag,tag) void             converts to the element code; grows by one at index len
list_set_next(ref,tag,tag) void        the same for element types without null: error past len
list_reverse(ref) ref
list_first(ref) tag
list_distinct(ref) ref                 by form L text
list_contains(ref,tag) i32 nowrite    dyn_same on elements
list_sum(ref) tag nowrite             int (exact) or float
list_avg(ref) f64 nowrite
sum_step(tag,tag) tag nowrite         state, next value
avg_value(tag) f64 nogc pure           what a value that is not null counts
least_step(tag,tag) tag nowrite
most_step(tag,tag) tag nowrite
list_min(ref) tag nowrite
list_max(ref) tag nowrite
list_union(ref,ref) ref
list_union_all(ref,ref) ref
list_except(ref,ref) ref
list_intersect(ref,ref) ref
list_sort_by(ref,ref) ref              list, list of lists of keys: stable by dyn_cmp of one after the other; new list
list_sorted(ref) ref                   a new list, stable by dyn_cmp
list_as(ref,ptr) ref                   the same elements in a list of that descriptor (itself if it has it)
list_range(i64,i64,i64) ref nowrite   list of i64
# -- indexes of hash joins (runtime/join.mochi)
join_new(i64) ref                      keys per entry
join_put(ref,i64,i64) ptr              hash, number of the row: where to store the keys
join_seal(ref) void                    after the last entry
join_first(ref,i64) i64 nogc nowrite  the first entry with the hash, or 0
join_next(ref,i64) i64 nogc nowrite   the next one with the hash of an entry
join_count(ref) i64 nogc nowrite      number of entries
hash_int(tag) i64 nogc pure fixed     int, bool or null
same_int(tag,tag) i32 nogc pure fixed int, bool or null
hash_str(ref) i64 nogc pure fixed     string or null
dyn_hash(tag) i64 nowrite             equal values have equal hashes
group_new(i64) ref                     an index to which entries are added between look-ups
group_put(ref,i64) ptr                 hash: where to store the keys of a new entry
group_norm(tag) tag nowrite           the same for all values with the same text (12.3): an int or a string
hash_norm(tag) i64 nogc pure fixed
same_norm(tag,tag) i32 nogc pure fixed
set_index(ref) ref                     of a list, for in_set; null if it is short
in_set(ref,ref,tag) i32                set_index of a list, the list, a value
# -- maps.  Key code I64 (word keys), INT (tagged int keys) or STR; value slots are 8 bytes
from_template(ptr) ref                 a copy of a constant (lower/constants.py)
map_new(ptr,i64) ref nowrite          desc, expected number of entries
map_find_i64(ref,i64) ptr nogc pure lookup  address of the value slot, or 0
map_find_int(ref,tag) ptr nogc pure lookup
map_find_str(ref,ref) ptr nogc pure lookup
map_slot_i64(ref,i64) ptr insert              the same, inserting a zeroed entry when missing
map_slot_int(ref,tag) ptr insert
map_slot_str(ref,ref) ptr insert
map_keys(ref) ref nowrite             fresh list of keys in iteration order (i64, int tags or strings)
map_values(ref) ref                    fresh list of values in key order
map_order(ref) ref nowrite            as map_keys, but shared and cached: only for iteration
map_get(ref,tag) tag nowrite          dynamic key and value, nil when missing (and the sub-map rule of 8.5)
map_set(ref,tag,tag) void
key_text(tag) ref nowrite             a non-string key as text (7.2)
# -- data files (14)
load_open(ref,tag) ref                 a reader of the file (path, options)
load_next(ref) tag                     the next row, or nil; errors until load_done name file and line
load_done() void nogc
load_close(ref) void
save_open(ref,tag) ref                 a writer
save_row(ref,tag) void
save_all(ref,tag) void                 every row of a list
save_close(ref) void
fetch_url(tag,tag) tag                 URL, options: the JSON value it leads to
read_file(ref) ref
file_lines(ref) ref
json_text(ref) tag                     the value that a JSON text spells
generate_text(ref,tag) ref             prompt, map of parameters
generate_embedding(ref,tag) ref        list of floats
chat_start(ref,tag,tag) tag            prompt, map of parameters, list of tools
chat_next(tag) tag                     the call that is wanted next: name, arguments, id
chat_result(tag,tag,tag) void          what came of it
chat_text(tag) ref
write_file(ref,ref,i64) void           path, text, 1: at the end of what is there
# -- for the modules of the library
env_value(ref) ref                     "" when it is not set
environ() ref                          list of NAME=VALUE
arguments() ref                        the command line, list of strings
byte_length(ref) i64 nogc pure fixed
byte_offset(ref,i64) i64 nogc          of a code point
str_replace(ref,ref,ref) ref nowrite  all occurrences
str_quoted(ref) ref nowrite           as in form L
url_escape(ref,ref) ref nowrite       all but letters, digits and the bytes given (a blank among them: `+`)
url_unescape(ref,i64) ref nowrite     1: `+` is a blank
int_text(i64,i64) ref nowrite         in a base from 2 to 36
f64_of_text(ref) f64 nowrite          NaN when it spells no number
md5_hex(ref) ref nowrite
# -- functions of C (lower.ccall): arguments checked and converted; `ref` WHAT names function and parameter
use_c(ptr,ptr) void nogc               exit and fflush of the C library in the program
use_tls() void                         called first by programs that fetch over https
c_enter() void nogc                    write what was printed
c_text(ref,ref) ref                    string, WHAT: a string followed by a zero byte
c_text_of(tag,ref,i64) ref             any value; 1: null stays null
c_address(ref) ptr nogc                of a string's bytes, 0 for null
c_keep(ref) void nogc                  nothing: the text is alive until here
c_bool_of(tag,ref) i32
c_float_of(tag,ref) f64
c_int_of(tag,ref,i64) tag              an int; 1: null is 0
c_unsigned(tag,ref) i64                an int as uint64_t
c_unsigned_value(i64) tag
c_string(i64,ref,i64) ref              char *, name of the function, 1: NULL is null
c_pointer(i64) tag                     address, NULL is null
f32_bits(f64) i64 nogc pure            IEEE 754 binary32
f32_value(i64) f64 nogc pure
# -- rest
input() ref
now() i64 nowrite
sha256(tag) ref nowrite
test_block() i64                       number of the test block to run (environment), or -1
out_mute(i64) void nogc                  1: discard what is printed from here, 0: print again
bench_begin() i64
bench_end(i64,ref) void                prints the JSON object of docs/reference.md, 17
mem_used() i64
dyn_count(tag) tag nowrite
dyn_exists(tag) i32 nowrite
dyn_collect(tag) tag                   fresh list of the items of a list or group
dyn_sum(tag) tag nowrite
dyn_avg(tag) f64 nowrite
dyn_min(tag) tag nowrite
dyn_max(tag) tag nowrite
dyn_first(tag) tag
dyn_sort(tag) tag
dyn_numerator(tag) tag
dyn_denominator(tag) tag
dyn_append(tag,tag) tag                to a copy
dyn_append_own(tag,tag) tag            in place when not aliased
dyn_concat(tag,tag) tag
dyn_reverse(tag) tag
dyn_distinct(tag) tag
dyn_keys(tag) tag
dyn_values(tag) tag
dyn_contains(tag,tag) i32
dyn_upper(tag) ref nowrite
dyn_lower(tag) ref nowrite
dyn_abs(tag) tag nowrite
dyn_floor(tag) tag nowrite
dyn_ceil(tag) tag nowrite
dyn_round(tag,i64) tag nowrite
dyn_pow(tag,tag) tag nowrite
dyn_substring(tag,tag,tag) tag nowrite
dyn_pad_start(tag,tag,tag) ref nowrite
dyn_num_arg(tag) f64 nowrite          int or float as a double
"""

_FLAGS: Final = {
    "nogc": NOGC, "noreturn": NORETURN, "pure": PURE, "nowrite": NOWRITE, "fixed": FIXED,
    "lookup": LOOKUP, "insert": INSERT,
}  # fmt: skip


def _rows() -> dict[str, FuncSym]:
    out = {}
    for line in _TABLE.strip().splitlines():
        if line.startswith("#"):
            continue
        head, _, rest = line.partition(")")
        name, _, params = head.partition("(")
        words = rest.split()
        sym = FuncSym("runtime." + name, [TYPE_BY_NAME[t] for t in params.split(",") if t], TYPE_BY_NAME[words[0]])
        i = 1
        while i < len(words) and words[i] in _FLAGS:
            sym.flags |= _FLAGS[words[i]]
            i += 1
        if sym.flags & NORETURN:
            sym.flags |= COLD
        out[name] = sym
    return out


RUNTIME: Final = _rows()

# What inserts an entry, and what finds it if it is there: symbols.
FIND_OF: Final = {f"runtime.map_slot_{kind}": f"runtime.map_find_{kind}" for kind in ("i64", "int", "str")}
