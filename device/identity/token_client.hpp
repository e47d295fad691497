#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/text.hpp"
#include "contract/trust/primitives.hpp"
#include "contract/vocabulary.hpp"
#include "device/download/backoff.hpp"
#include "device/ports/clock.hpp"
#include "device/ports/device_key.hpp"
#include "device/ports/fetcher.hpp"

namespace otaria::device {

inline constexpr std::size_t max_claim_bytes = 64;
inline constexpr std::size_t max_server_bytes = 128;  ///< `https://name:port`
/// The longest token whose CONNECT packet still has 1,024 bytes: that of an id of 32 characters
/// without scopes takes 668.
inline constexpr std::size_t max_token_bytes = 832;

/// Who asks, and where.
struct TokenSettings {
  contract::Text<max_server_bytes> server;  ///< origin, without a slash at its end
  contract::Text<contract::max_device_id_bytes> id;
  contract::Text<contract::mac_text_bytes> mac;
  contract::Text<max_claim_bytes> claim;  ///< one-time secret; empty: the device was imported
  std::uint32_t retry_first_ms = 1000;
  std::uint32_t retry_limit_ms = 60000;
  /// After a refusal, which only an operator can end.
  std::uint32_t refused_limit_ms = 300000;
};

/// What a server says beside the token.
struct TokenGrant {
  contract::Text<contract::max_device_id_bytes> id;  ///< to be used from now on
  std::uint32_t time = 0;                            ///< Unix seconds; 0: not said
  std::uint32_t keys = 0;                            ///< serial of the newest key list
  std::uint32_t seq = 0;                             ///< highest the server has seen
};

/// Gets the token that the device shows to the broker: proves the possession of the device's key
/// over a nonce, enrols first where a claim was given, and renews in time.
///
/// Use      run() says when the fetcher is needed; while it is free call begin(). Every event of a
///          request that owns_request() goes here. grant() is there once after each success.
/// Renewal  at a random point in 70 to 90 % of the token's life, by the monotonic clock.
/// Retries  back-off with jitter; Retry-After is honoured up to an hour; a refusal (403) is asked
///          again more rarely.
/// Memory   the object: about 2.7 KiB, the token and one answer; no heap.
/// Thread   the agent's.
/// Source   reference trust, sections 12.2 and 12.3; RFC 7523; RFC 9449, section 8.
class TokenClient {
 public:
  TokenClient(const TokenSettings& settings,
              Fetcher& fetcher,
              DeviceKey* key,
              contract::Hasher& hasher,
              Clock& clock,
              Random& random)
      : settings_{settings},
        fetcher_{fetcher},
        key_{key},
        hasher_{hasher},
        clock_{clock},
        random_{random},
        backoff_{settings.retry_first_ms, settings.retry_limit_ms},
        refusals_{settings.retry_limit_ms, settings.refused_limit_ms} {}

  /// A device without a server to ask uses no tokens.
  [[nodiscard]] bool is_used() const { return !settings_.server.empty(); }
  [[nodiscard]] std::string_view server() const { return settings_.server.view(); }
  /// Milliseconds until begin() should be called; 0: now.
  [[nodiscard]] std::uint32_t wait_ms() const;
  /// Sends the next request. Only while the fetcher is free and none of ours is under way.
  void begin();
  [[nodiscard]] bool owns_request() const { return asking_ != Asking::nothing; }

  void on_header(std::string_view name, std::string_view value);
  void on_head(std::uint32_t status);
  void on_body(std::span<const std::uint8_t> bytes);
  void on_end();
  void on_failed();

  /// The fetcher was taken for something else; asked again as soon as it is free.
  void interrupted();
  /// A request that brings nothing for this long is given up, in milliseconds.
  static constexpr std::uint32_t longest_request_ms = 30000;
  [[nodiscard]] bool is_stalled() const {
    return owns_request() && clock_.monotonic_ms() >= asked_at_ms_ + longest_request_ms;
  }

  /// Valid by the device's own clock; empty: none.
  [[nodiscard]] std::string_view token() const;
  /// Once after each new token.
  std::optional<TokenGrant> take_grant();
  /// The broker refused the token (CONNACK 4 or 5): another one is fetched at once.
  void token_refused();
  /// HTTP status of the latest refusal; 0: none.
  [[nodiscard]] std::uint32_t last_status() const { return last_status_; }

 private:
  enum class Asking : std::uint8_t { nothing, nonce, enrolment, token };

  static constexpr std::size_t answer_bytes = 1536;
  static constexpr std::size_t longest_nonce = 128;
  static constexpr std::uint32_t longest_retry_after_s = 3600;
  static constexpr std::uint32_t longest_life_s = 7 * 86400;

  void post(std::string_view path, std::string_view content_type, std::string_view body);
  void ask_nonce();
  void ask_enrolment();
  void ask_token();
  void take_answer(Asking answered);
  bool read_nonce(std::string_view json);
  bool read_token(std::string_view json);
  void refused(Asking answered);
  void retry(Backoff& backoff);
  [[nodiscard]] std::string_view answer() const { return {answer_.data(), answer_length_}; }

  TokenSettings settings_;
  Fetcher& fetcher_;
  DeviceKey* key_;  ///< nullptr only when no tokens are used
  contract::Hasher& hasher_;
  Clock& clock_;
  Random& random_;
  Backoff backoff_;
  Backoff refusals_;

  Asking asking_ = Asking::nothing;
  Asking next_ = Asking::nonce;
  bool enrol_first_ = false;
  bool claim_shown_ = false;  ///< on this boot, and answered
  std::uint64_t ask_at_ms_ = 0;
  std::uint64_t asked_at_ms_ = 0;
  std::uint64_t valid_until_ms_ = 0;
  std::uint32_t status_ = 0;
  std::uint32_t last_status_ = 0;
  std::uint32_t retry_after_s_ = 0;
  std::array<char, answer_bytes> answer_{};
  std::size_t answer_length_ = 0;
  bool answer_too_long_ = false;
  contract::Text<longest_nonce> nonce_;
  contract::Text<max_token_bytes> token_;
  std::optional<TokenGrant> grant_;
};

}  // namespace otaria::device
