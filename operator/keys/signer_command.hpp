#pragma once

#include <chrono>
#include <string>

#include "contract/openssl/crypto.hpp"

namespace otaria::keys {

/// A key behind a program: a cloud's key management, or whatever we do not link.
///
/// Protocol  the program gets the SHA-256 digest as 64 hex digits and a line end on standard input
///           and answers with the signature on standard output: base64url without padding, r || s
///           (ES256) or the PSS signature (PS256). Its standard error is ours. Exit status 0.
/// Safety    it is executed without a shell, and sees neither our passphrase nor our PIN. What it
///           answers is verified with the public key before anybody sees it.
/// Source    reference trust, section 16.
class SignerCommand final : public crypto::Signer {
 public:
  /// `time_limit`: a person may have to touch something.
  SignerCommand(std::string program,
                crypto::PublicKey key,
                std::chrono::seconds time_limit = std::chrono::seconds{120})
      : program_{std::move(program)}, public_{std::move(key)}, time_limit_{time_limit} {}

  [[nodiscard]] const crypto::PublicKey& public_key() const override { return public_; }
  /// Throws KeyError: `signer_failed` (cannot be started, ended with a status, was too slow, or
  /// said too much), `signer_malformed` (not one signature), `bad_signature` (does not verify).
  std::vector<std::uint8_t> sign(const contract::Digest& digest) override;

 private:
  std::string program_;
  crypto::PublicKey public_;
  std::chrono::seconds time_limit_;
};

}  // namespace otaria::keys
