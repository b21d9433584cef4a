// What the whole core shares: the error of all readers, and the hook through which long loops are cancelled.
#include "error.hh"
#include "interrupt.hh"

namespace fas {

void (*poll_hook)() = nullptr;

void throw_corrupted(std::string detail) {
    throw Error(sqlstate::data_corrupted, "flow segment is corrupted", std::move(detail));
}

} // namespace fas
