// The type flow_segment: bytes that verify_segment() has accepted. Its text form is bytea's, `\x…`.
//
// Every door that a value can come in by verifies it whole; what reads stored values checks again as it reads, because
// stored bytes can go bad.
#include "postgres.hh"

extern "C" {
#include "libpq/pqformat.h"
#include "utils/builtins.h"
}

#include <cstring>

#include "../core/segment.hh"
#include "datum.hh"
#include "guard.hh"
#include "hex.hh"

namespace fas::pg {

namespace {

void verify(const struct varlena *plain) {
    guarded([&] {
        MemorySource source(payload_of(plain));
        verify_segment(source);
    });
}

} // namespace

FAS_FUNCTION(flow_segment_in) {
    struct varlena *segment = varlena_of_hex(PG_GETARG_CSTRING(0), "flow_segment");
    verify(segment);
    PG_RETURN_POINTER(segment);
}

FAS_FUNCTION(flow_segment_out) { PG_RETURN_CSTRING(hex_of_varlena(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)))); }

FAS_FUNCTION(flow_segment_recv) {
    auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    int length = buffer->len - buffer->cursor;
    auto *segment = static_cast<struct varlena *>(palloc(VARHDRSZ + length));
    SET_VARSIZE(segment, VARHDRSZ + length);
    pq_copymsgbytes(buffer, VARDATA(segment), length);
    verify(segment);
    PG_RETURN_POINTER(segment);
}

FAS_FUNCTION(flow_segment_send) { PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0)); }

// The cast from bytea.
FAS_FUNCTION(flow_segment_from_bytea) {
    struct varlena *segment = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
    verify(segment);
    PG_RETURN_POINTER(segment);
}

} // namespace fas::pg
