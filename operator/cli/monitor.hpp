#pragma once

#include "operator/cli/context.hpp"

namespace otaria::cli {

/// Shows devices and updates as they change, until Ctrl-C (exit_ok: that is how one leaves it) or
/// `timeout_s` (0: never). On a terminal a table drawn again in place, into a pipe one line per
/// change, with --json one object per change.
int monitor(Context& context, unsigned timeout_s);

}  // namespace otaria::cli
