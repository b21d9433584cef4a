// See interrupt.hh: the hook's home. src/pg/guard.cc sets it once, before any core code runs.
#include "interrupt.hh"

namespace fas {

void (*poll_hook)() = nullptr;

} // namespace fas
