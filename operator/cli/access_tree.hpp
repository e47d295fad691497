#pragma once

#include "operator/cli/command_tree.hpp"

namespace otaria::cli {

/// `token create|list|revoke` and `audit list|export|verify`.
void add_access_verbs(CLI::App& app, Request& request);

}  // namespace otaria::cli
