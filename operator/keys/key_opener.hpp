#pragma once

#include <memory>
#include <optional>
#include <string>

#include "operator/keys/key_file.hpp"
#include "operator/keys/key_reference.hpp"

namespace otaria::keys {

/// Opens the keys that a command line names, one after the other, wherever they are.
class KeyOpener {
 public:
  explicit KeyOpener(OpenOptions options) : options_{std::move(options)} {}

  /// A key to sign with. Throws KeyError.
  std::unique_ptr<crypto::Signer> open(const std::string& reference);

  struct Known {
    crypto::PublicKey key;
    std::optional<contract::KeyRole> role;  ///< when the file says it
  };
  /// Its public half: without passphrase where the file has it in the clear, without PIN where the
  /// token shows it. Throws KeyError.
  Known look_at(const std::string& reference);

  [[nodiscard]] const OpenOptions& options() const { return options_; }

 private:
  OpenOptions options_;
  std::size_t opened_files_ = 0;  ///< that asked for a passphrase
};

}  // namespace otaria::keys
