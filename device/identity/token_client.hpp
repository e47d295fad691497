#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "contract/text.hpp"
#include "contract/trust/primitives.hpp"
#include "contract/vocabulary.hpp"
#include "device/agent/identity.hpp"
#include "device/download/backoff.hpp"
#include "device/identity/answer_reader.hpp"
#include "device/ports/clock.hpp"
#include "device/ports/device_key.hpp"
#include "device/ports/fetcher.hpp"

namespace otaria::device {

inline constexpr std::size_t max_claim_bytes = 64;
inline constexpr std::size_t max_server_bytes = 128;  ///< `https://name:port`
/// The longest token whose CONNECT packet still has 1,024 bytes: that of an id of 32 characters
/// without scopes takes 668.
inline constexpr std::size_t max_token_bytes = 832;

/// How the device proves who it is. What the texts name outlives the agent.
struct TokenAccess {
  DeviceKey* key = nullptr;  ///< nullptr: no tokens, the server is only asked for key lists
  /// Origin, `https://name:port`, without a slash at its end; empty, or longer than
  /// max_server_bytes: none.
  std::string_view server = {};
  /// One-time secret for enrolment, at most max_claim_bytes; empty: the device was imported.
  std::string_view claim = {};
};

/// Who asks, and how often. What is pointed to outlives the client.
struct TokenSettings {
  const TokenAccess* access = nullptr;
  const Identity* identity = nullptr;  ///< of it id and MAC are shown
  std::uint32_t retry_first_ms = 1000;
  std::uint32_t retry_limit_ms = 60000;
  /// After a refusal, which only an operator can end.
  std::uint32_t refused_limit_ms = 300000;
};

/// What a server says beside the token.
struct TokenGrant {
  GrowingText<contract::max_device_id_bytes> id;  ///< to be used from now on; empty: not said
  std::uint32_t time = 0;                         ///< Unix seconds; 0: not said
  std::uint32_t keys = 0;                         ///< serial of the newest key list
  std::uint32_t seq = 0;                          ///< highest the server has seen
};

/// Gets the token that the device shows to the broker: proves the possession of the device's key
/// over a nonce, enrols first where a claim was given, and renews in time.
///
/// Use      run() says when the fetcher is needed; while it is free call begin(). Every event of a
///          request that owns_request() goes here. grant() is there once after each success.
/// Renewal  at a random point in 70 to 90 % of the token's life, by the monotonic clock.
/// Retries  back-off with jitter; Retry-After is honoured up to an hour; a refusal (403) is asked
///          again more rarely.
/// Id       a device with the default id, which another one may have taken, asks for none when it
///          enrols: the server's answer names the one to use.
/// Memory   the object (about 1.2 KiB, the token most of it) and `work`, which is used during a
///          call only; no heap. Answers are read as they arrive: a new token takes the old one's
///          place character by character, and the old one has ended with the first.
/// Thread   the agent's.
/// Source   reference trust, sections 12.2 and 12.3; RFC 7523; RFC 9449, section 8.
class TokenClient final : private AnswerSink {
 public:
  /// What a request's body takes at most.
  static constexpr std::size_t work_bytes = contract::max_packet_bytes;

  TokenClient(const TokenSettings& settings,
              Fetcher& fetcher,
              contract::Hasher& hasher,
              Clock& clock,
              Random& random,
              std::span<char, work_bytes> work)
      : settings_{settings},
        fetcher_{fetcher},
        hasher_{hasher},
        clock_{clock},
        random_{random},
        work_{work},
        backoff_{settings.retry_first_ms, settings.retry_limit_ms},
        refusals_{settings.retry_limit_ms, settings.refused_limit_ms} {}

  /// A device without a server to ask uses no tokens.
  [[nodiscard]] bool is_used() const {
    return settings_.access->key != nullptr && !server().empty();
  }
  [[nodiscard]] std::string_view server() const {
    const std::string_view origin = settings_.access->server;
    return origin.size() <= max_server_bytes ? origin : std::string_view{};
  }
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

  static constexpr std::size_t longest_nonce = 64;  ///< ours has 43 characters
  static constexpr std::uint32_t longest_retry_after_s = 3600;
  static constexpr std::uint32_t longest_life_s = 7 * 86400;

  void post(std::string_view path, std::string_view content_type, std::string_view body);
  void ask_nonce();
  void ask_enrolment();
  void ask_token();
  bool on_text_begin(std::size_t member) override;
  bool on_text(std::size_t member, char c) override;
  bool on_number(std::size_t member, std::uint32_t value) override;
  void take_answer(Asking answered);
  bool take_token();
  void refused(Asking answered);
  void retry(Backoff& backoff);

  TokenSettings settings_;
  Fetcher& fetcher_;
  contract::Hasher& hasher_;
  Clock& clock_;
  Random& random_;
  std::span<char, work_bytes> work_;
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
  AnswerReader answer_;
  GrowingText<longest_nonce> nonce_;
  GrowingText<max_token_bytes> token_;
  std::uint32_t life_s_ = 0;  ///< of the answer that arrives, as grant_ is
  TokenGrant grant_;
  bool granted_ = false;  ///< grant_ was not taken yet
};

}  // namespace otaria::device
