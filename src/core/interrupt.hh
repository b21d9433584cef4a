// Lets long loops of the core be cancelled. src/pg installs a hook that looks at PostgreSQL's pending interrupts and
// throws when the statement is to end; without a hook a poll costs one load.
#pragma once

namespace fas {

extern void (*poll_hook)(); // owned by src/pg/guard.cc; null in unit tests

// Call it every few thousand items of any loop whose length the data decides. May throw.
inline void poll() {
    if (poll_hook != nullptr)
        poll_hook();
}

} // namespace fas
