#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

/// Freshness without a clock on the device: the server hands out nonces and takes each of its own
/// back once, within 120 seconds.
///
/// A nonce carries its time and a MAC of ours, so nothing is remembered of those that never come
/// back; only used ones are, until they have expired. The key is new with every start: nonces from
/// before it are refused, and the answer to that brings a new one.
/// Source  reference trust, section 12.3; RFC 9449, section 8.
/// Threads  any. Times in Unix seconds.
namespace otaria::server {

class Nonces {
 public:
  static constexpr std::int64_t life_s = 120;
  static constexpr std::size_t text_characters = 43;  ///< 32 bytes, base64url
  /// More than a server can judge in 120 s with all cores would be needed to fill it.
  static constexpr std::size_t most_used = 1'000'000;

  /// `most`: how many used ones are remembered; tests set it low. Throws crypto::CryptoError.
  explicit Nonces(std::size_t most = most_used);

  std::string make(std::int64_t now);
  /// Ours and fresh, whether used or not.
  [[nodiscard]] bool is_fresh(std::string_view text, std::int64_t now) const;
  /// Takes it back. False when it is not fresh, was taken before, or the memory of used ones is
  /// full. Call it only for whoever has proven to hold a key: others must not fill that memory.
  bool use(std::string_view text, std::int64_t now);

 private:
  std::string mac_of(std::string_view first_bytes) const;
  void forget_expired(std::int64_t now);

  const std::string key_;
  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> used_;  ///< nonce, and when it was made
  std::multimap<std::int64_t, std::string> by_time_;
};

}  // namespace otaria::server
