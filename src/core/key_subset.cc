// See key_subset.hh.
#include "key_subset.hh"

namespace fas {

// A part often uses few of the keys of the whole: these are listed once, and only they are looked at again.
void KeySubset::pick(const SortedNames &all_names, const KeyColumns &all_keys) {
    std::vector<uint32_t> used;
    for (uint32_t key = 0; key < ordinals.size(); ++key)
        if (ordinals[key] != unused) {
            ordinals[key] = static_cast<uint32_t>(used.size());
            used.push_back(key);
        }
    std::vector<uint32_t> new_name;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        new_name.assign(all_names[t].size(), unused);
        for (const uint32_t key : used)
            new_name[all_keys[t][key]] = 0;
        for (size_t name = 0; name < new_name.size(); ++name)
            if (new_name[name] != unused) {
                new_name[name] = static_cast<uint32_t>(names[t].size());
                names[t].push_back(all_names[t][name]);
            }
        keys[t].reserve(used.size());
        for (const uint32_t key : used)
            keys[t].push_back(new_name[all_keys[t][key]]);
    }
}

} // namespace fas
