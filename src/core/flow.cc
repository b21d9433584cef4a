// Names of dimensions, looked up.
#include "flow.hh"

namespace fas {

std::optional<Dimension> dimension_of_name(std::string_view name) noexcept {
    for (size_t i = 0; i < dimension_count; ++i)
        if (dimension_names[i] == name)
            return static_cast<Dimension>(i);
    return std::nullopt;
}

} // namespace fas
