#pragma once

#include <string>

#include "server/access/role.hpp"

namespace otaria::server {

/// Who sent a request, once that is known.
struct Caller {
  std::string actor;  ///< `ota_<token id>`, `oidc:<subject>`, or `open` when nobody was asked
  std::string roles;  ///< for people: `operator`, or several in one text
  Rights rights;
  std::string product;  ///< the only product whose releases may be published; empty: any
  std::string source;   ///< address, without port
};

/// Whether the caller may publish for this product.
inline bool may_publish_for(const Caller& caller, const std::string& product) {
  return caller.product.empty() || caller.product == product;
}

}  // namespace otaria::server
