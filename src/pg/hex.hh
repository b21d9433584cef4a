// `\x…`: hexadecimal text in and out for the types that are bytes.
#pragma once

#include "postgres.hh"

namespace fas::pg {

bool is_hex(const char *text) noexcept; // begins with \x, whatever follows

// The bytes of `\x…` (blanks between the pairs are allowed, as in bytea's), as a varlena. Raises 22P02, naming `type`,
// for anything else. For phase one.
struct varlena *varlena_of_hex(const char *text, const char *type);

// `\x` and the payload of a detoasted varlena. For phase three.
char *hex_of_varlena(const struct varlena *plain);

} // namespace fas::pg
