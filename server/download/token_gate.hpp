#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "contract/token/checker.hpp"

namespace otaria::server {

/// Checks the access tokens that devices show, by the issuer's key set and the denylist in their
/// files: the same that the broker's plugin reads. A file that changed is read before the next
/// token is judged; one that cannot be read lets nobody in. A denylist that is not there is empty.
/// Threads  any.
class TokenGate {
 public:
  TokenGate(std::filesystem::path key_set, std::filesystem::path denylist)
      : key_set_file_{std::move(key_set)}, denylist_file_{std::move(denylist)} {}

  enum class Verdict : std::uint8_t { good, missing, refused };
  /// `authorization`: the header's value; `now`: Unix seconds. Why a token was refused is for the
  /// log alone.
  Verdict judge(std::string_view authorization, std::int64_t now);

 private:
  /// What tells that a file is another one than before.
  struct Seen {
    bool there = false;
    std::uint64_t inode = 0, size = 0;
    std::int64_t changed_s = 0, changed_ns = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  static Seen look_at(const std::filesystem::path& file);
  void read_again();
  void read_key_set();
  void read_denylist();

  const std::filesystem::path key_set_file_;
  const std::filesystem::path denylist_file_;
  const token::TokenChecker checker_;
  std::mutex mutex_;  ///< of the four below
  std::optional<Seen> key_set_seen_, denylist_seen_;
  std::optional<token::KeySet> keys_;
  std::optional<token::Denylist> denied_;
};

}  // namespace otaria::server
