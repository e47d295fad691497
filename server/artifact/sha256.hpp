#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "contract/digest.hpp"

namespace otaria::server {

/// SHA-256 by OpenSSL (which uses the processor's instructions). Throws std::runtime_error only
/// when OpenSSL has no SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  contract::Digest finish();  ///< once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Hashes `size` bytes from offset 0. Empty, with errno, when reading fails; errno 0 when the file
/// is shorter.
std::optional<contract::Digest> digest_of_file(int descriptor, std::uint64_t size);

}  // namespace otaria::server
