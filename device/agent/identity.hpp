#pragma once

#include <cstdint>

#include "contract/messages.hpp"
#include "contract/trust/byte_source.hpp"
#include "device/ports/system.hpp"

namespace otaria::device {

/// Who this device is; provisioned, never changed by an update.
struct Identity {
  contract::Text<contract::max_device_id_bytes> id;
  contract::Text<contract::mac_text_bytes> mac;  ///< 12 lower-case hex digits
  contract::Text<contract::max_name_bytes> product;
  contract::Text<contract::max_name_bytes> hardware;
  contract::Text<contract::max_channel_bytes> channel;
  /// Accepts the three-field notice and plain http; shown in every state message. Missing or
  /// unreadable = false.
  bool development = false;
  /// A production device may fetch from http URLs too: what it installs is signed all the same, but
  /// everybody on the way can read it. Missing or unreadable = false.
  bool plain_http = false;
  /// What a running image counts as when neither the journal nor its own descriptor knows better;
  /// may be empty.
  contract::Version provisioned_version;
};

/// What the platform knows about this start.
struct BootInfo {
  std::uint32_t running_slot = 0;  ///< index: 0 = ota_0
  ResetReason reset_reason = ResetReason::unknown;
  /// The key list this device was provisioned with, or its firmware brought along; read during
  /// Agent::start() only. nullptr: none.
  contract::FileSource* key_list = nullptr;
};

/// Limits and waiting times; the defaults are for the field, tests and demonstrations shorten them.
struct Policy {
  std::uint32_t trial_timeout_s = 300;      ///< confirm within this or go back
  std::uint32_t rebooting_flush_ms = 5000;  ///< longest wait for the last PUBACK before the restart
  std::uint32_t reconnect_first_ms =
      1000;  ///< broker: first back-off, doubled each time, with jitter
  std::uint32_t reconnect_limit_ms = 60000;
  std::uint32_t retry_first_ms =
      1000;  ///< download: first back-off, doubled each time, with jitter
  std::uint32_t retry_limit_ms = 60000;
  std::uint32_t retries_without_progress = 12;  ///< then download_failed
  std::uint32_t stall_window_ms =
      60000;  ///< fewer than stall_minimum_bytes in this: the request is broken off
  std::uint32_t stall_minimum_bytes = 4096;
  /// Key lists fetched because something is wrong here (a pin that failed, a list that has
  /// expired), not because a newer one was announced: at most one in this time.
  std::uint32_t keys_pause_ms = 60000;
  std::uint32_t longest_retry_after_s = 3600;  ///< a server may not send us away for longer
  std::uint32_t veto_limit_s = 86400;  ///< the application's `not_now` ends in `busy` after this
  std::uint32_t absent_notice_limit_s =
      86400;  ///< connected time without the notice of an unfinished update
  std::uint32_t expired_url_limit_s = 3600;  ///< connected time without a renewed URL
  std::uint32_t failed_attempts_limit = 3;   ///< per image digest, unless forced
  std::uint32_t trial_starts_limit =
      3;  ///< an unconfirmed image that keeps starting goes back after this
};

}  // namespace otaria::device
