#pragma once

#include <cstddef>
#include <string>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct AuditFilter {
  std::string actor;
  std::string verb;
  std::size_t limit = 100;
};

struct VerifyArguments {
  std::string file;         ///< an export; empty: the server's log
  std::string checkpoints;  ///< the signed checkpoints; empty: the chain alone is followed
  std::string key;          ///< PEM of the audit key's public half; goes with `checkpoints`
};

int list_audit(Context& context, const AuditFilter& filter);
/// One row per line, oldest first, as they were hashed. `out` empty: standard output.
int export_audit(Context& context, const std::string& out);
/// Returns exit_ok when nothing was changed, exit_refused, with the first bad row, otherwise.
int verify_audit(Context& context, const VerifyArguments& arguments);

}  // namespace otaria::cli
