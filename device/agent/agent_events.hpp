#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "device/ports/fetcher.hpp"

namespace otaria::device {

/// What a platform's driver tells the agent. `Agent` implements it; drivers and tests hold it by
/// this face.
///
/// The driver's whole duty: deliver each event from the agent's own thread, never from within a
/// port call, and call run() after every event and when the time it last returned has passed.
class AgentEvents {
 public:
  virtual void on_broker_connected() = 0;
  virtual void on_broker_lost() = 0;  ///< also: connecting failed
  /// The broker did not take the login (CONNACK 4 or 5); on_broker_lost() follows.
  virtual void on_broker_refused() = 0;
  /// A message on `<id>/firmware/update`; empty = withdrawal. Longer than 1,024 bytes: pass what
  /// fits the buffer and the true length.
  virtual void on_message(std::span<const char> payload, std::uint32_t true_length) = 0;
  virtual void on_published() = 0;  ///< PUBACK of the one publish under way

  virtual void on_http_header(std::string_view name, std::string_view value) = 0;
  virtual void on_http_head(std::uint32_t status) = 0;  ///< after the headers
  virtual void on_http_body(std::span<const std::uint8_t> bytes) = 0;
  virtual void on_http_end() = 0;
  virtual void on_http_failed(FetchFailure failure) = 0;

  /// A server said (in a token response) that its newest key list has this serial. `url`: any of
  /// its URLs. A list that is newer than the one in force is fetched when no update is in hand.
  virtual void on_keys_mentioned(std::uint32_t serial, std::string_view url) = 0;
  /// A connection other than the Fetcher's (the broker's; on_broker_lost() follows) failed because
  /// the host's key is none of its pins. The newest key list is fetched past the pins: it may have
  /// new ones. `url`: any URL of a server that has key lists; empty: the agent knows one, that
  /// gives it tokens or that manifests came from. Repeats are paced (Policy::keys_pause_ms).
  virtual void on_pin_failed(std::string_view url) = 0;

  /// Does one bounded piece of work (at most one sector erased, or a few KiB hashed) and returns in
  /// how many milliseconds it wants to be called again at the latest; 0 = at once.
  virtual std::uint32_t run() = 0;

 protected:
  ~AgentEvents() = default;
};

}  // namespace otaria::device
