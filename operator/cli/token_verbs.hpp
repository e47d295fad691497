#pragma once

#include <cstdint>
#include <string>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct TokenArguments {
  std::string role;
  std::string name;
  std::string product;  ///< of agent-ci
  std::string person;   ///< whose it is, for the two-person rule
  unsigned days = 90;
  std::string out;  ///< file for the token; empty: it is printed
};

/// The token's text is printed once, or written to a new file of mode 0600.
int create_token(Context& context, const TokenArguments& arguments);
int list_tokens(Context& context, std::size_t limit);
/// `id`: with or without the `ota_` in front that lists and logs show.
int revoke_token(Context& context, const std::string& id);

}  // namespace otaria::cli
