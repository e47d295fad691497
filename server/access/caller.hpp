#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/access/role.hpp"
#include "server/registry/refusal.hpp"

namespace otaria::server {

/// Who sent a request, once that is known.
struct Caller {
  std::string actor;  ///< `ota_<token id>`, `oidc:<subject>`, or `open` when nobody was asked
  std::string roles;  ///< for people: `operator`, or several in one text
  Rights rights = {};
  std::string product = {};     ///< the only product whose releases may be published; empty: any
  std::string source = {};      ///< address, without port
  std::string token_id = {};    ///< of an API token
  std::int64_t expires_at = 0;  ///< Unix seconds; 0: never. A stream of events ends then
  std::string person = {};      ///< whom the two-person rule takes it for; empty: unknown
  /// Set once the audit log tells of the request, in the transaction of what it changed. A request
  /// is answered by one thread.
  mutable bool audited = false;
};

/// Checks bearer tokens that are not ours. Threads  any.
class BearerVerifier {
 public:
  virtual ~BearerVerifier() = default;
  /// The caller without source. Codes: token_invalid, token_expired, forbidden (it is genuine, but
  /// no role belongs to it). May block for a few seconds while keys are fetched.
  virtual Outcome<Caller> verify(std::string_view token) = 0;
};

/// Whether the caller may publish for this product.
inline bool may_publish_for(const Caller& caller, const std::string& product) {
  return caller.product.empty() || caller.product == product;
}

}  // namespace otaria::server
