// See key_subset.hh.
#include "key_subset.hh"

namespace fas {

void KeySubset::pick(const SortedNames &all_names, const KeyColumns &all_keys) {
    std::array<std::vector<uint32_t>, text_dimension_count> new_name;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        new_name[t].assign(all_names[t].size(), unused);
        for (size_t key = 0; key < ordinals.size(); ++key)
            if (ordinals[key] != unused)
                new_name[t][all_keys[t][key]] = 0;
        for (size_t name = 0; name < new_name[t].size(); ++name)
            if (new_name[t][name] != unused) {
                new_name[t][name] = static_cast<uint32_t>(names[t].size());
                names[t].push_back(all_names[t][name]);
            }
    }
    uint32_t next = 0;
    for (size_t key = 0; key < ordinals.size(); ++key)
        if (ordinals[key] != unused) {
            ordinals[key] = next++;
            for (size_t t = 0; t < text_dimension_count; ++t)
                keys[t].push_back(new_name[t][all_keys[t][key]]);
        }
}

} // namespace fas
