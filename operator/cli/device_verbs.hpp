#pragma once

#include <cstddef>
#include <string>

#include "operator/cli/context.hpp"

namespace otaria::cli {

/// `query`: part of an id, MAC or version; empty: all.
int list_devices(Context& context, const std::string& query, std::size_t limit);
int show_device(Context& context, const std::string& id);
/// Every status the device ever reported, oldest first; of one update when `update` is not empty.
int show_history(Context& context, const std::string& id, const std::string& update);

}  // namespace otaria::cli
