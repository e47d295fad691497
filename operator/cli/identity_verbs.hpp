#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/cli/context.hpp"

/// Who devices and services are, and the key that signs their tokens.
namespace otaria::cli {

/// A CSV or JSON file, all or nothing.
int import_devices(Context& context, const std::string& file);

struct ClaimArguments {
  std::vector<std::string> devices;  ///< ids or MACs
  std::string product, hardware;
};
/// Prints the codes: the only time they are seen.
int claim_devices(Context& context, const ClaimArguments& arguments);

/// `state`: active, suspended, revoked or retired.
int set_device_state(Context& context,
                     const std::string& id,
                     const std::string& state,
                     const std::string& reason);
/// `state`: only these; empty: all.
int list_identities(Context& context,
                    const std::string& query,
                    const std::string& state,
                    std::size_t limit);

int show_issuer(Context& context);
struct RotateArguments {
  std::optional<std::int64_t> lead_s;
  bool withdraw_old = false;
};
int rotate_issuer(Context& context, const RotateArguments& arguments);
/// Writes the token of a service into a new file of mode 0600; empty: prints it.
int mint_broker_token(Context& context, const std::string& name, const std::string& file);
int list_broker_tokens(Context& context);
int revoke_broker_token(Context& context, const std::string& name);

}  // namespace otaria::cli
