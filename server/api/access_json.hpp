#pragma once

#include <cstdint>
#include <string>

#include "server/access/token.hpp"
#include "server/registry/refusal.hpp"

/// JSON of tokens; json.hpp's rules hold here too.
namespace otaria::server {

std::string json_of(const ApiToken& token, std::int64_t now);
/// The same with the token's text, which is shown this once, and what the operator should think of
/// now; empty: nothing.
std::string json_of(const ApiToken& token,
                    std::int64_t now,
                    const std::string& text,
                    const std::string& recommendation);

struct TokenRequest {
  Role role = Role::viewer;
  std::string name;
  std::string product;
  std::string person;
  std::int64_t days = default_token_days;
};
/// Reads the body of POST /tokens. Code bad_request.
Outcome<TokenRequest> token_request_from(const std::string& body);

}  // namespace otaria::server
