#pragma once

#include "operator/cli/command_tree.hpp"

namespace otaria::cli {

/// Further verbs of the group `device`, which must be there already: import, claim, identities,
/// activate, suspend, revoke, retire; and the group `issuer`.
void add_identity_verbs(CLI::App& app, Request& request);

}  // namespace otaria::cli
