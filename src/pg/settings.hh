// The extension's settings (GUCs), defined by module.cc when the library is loaded.
#pragma once

namespace fas::pg::settings {

enum RoaringOutput : int { roaring_output_array, roaring_output_bytea };

extern int max_segment_flows;     // fas.max_segment_flows: what a segment in the store holds at most
extern int batch_key_retention;   // fas.batch_key_retention, in seconds
extern bool auto_compact;         // fas.auto_compact: an ingest call that is due merges small segments
extern int roaring_output_format; // fas.roaring_output_format, a RoaringOutput

} // namespace fas::pg::settings
