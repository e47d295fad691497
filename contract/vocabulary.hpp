#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The words of the wire: update states, fault codes, topics, limits. One home for each; every
/// codec reads them here. Heap-free and constexpr: the device uses it as it stands.
/// Source  docs/spec/contract.md.
namespace otaria::contract {

/// Largest whole MQTT packet a device sends or receives, in bytes.
inline constexpr std::size_t max_packet_bytes = 1024;
inline constexpr std::size_t max_device_id_bytes = 32;
inline constexpr std::size_t mac_text_bytes = 12;
inline constexpr std::size_t digest_bytes = 32;
inline constexpr std::size_t digest_text_bytes = 64;
inline constexpr std::size_t build_text_bytes = 16;
inline constexpr std::size_t max_version_bytes = 32;
inline constexpr std::size_t max_url_bytes = 256;
/// An update id is a ULID (26 characters); other clients' ids of the same alphabet fit up to this.
inline constexpr std::size_t max_update_id_bytes = 36;
inline constexpr std::size_t max_name_bytes = 32;  ///< product, hardware
inline constexpr std::size_t max_channel_bytes = 16;

inline constexpr std::string_view notice_topic_suffix = "/firmware/update";
inline constexpr std::string_view status_topic_suffix = "/ota/status";
inline constexpr std::string_view state_topic_suffix = "/ota/state";
inline constexpr std::string_view telemetry_topic_suffix = "/telemetry";

/// The states of one update, in the order a device passes them. The last four are final.
enum class UpdateState : std::uint8_t {
  received,
  waiting,
  downloading,
  verifying,
  installed,
  rebooting,
  trial,
  succeeded,
  rolled_back,
  failed,
  refused,
};

inline constexpr std::array<std::string_view, 11> update_state_names{"received",
                                                                     "waiting",
                                                                     "downloading",
                                                                     "verifying",
                                                                     "installed",
                                                                     "rebooting",
                                                                     "trial",
                                                                     "succeeded",
                                                                     "rolled_back",
                                                                     "failed",
                                                                     "refused"};

constexpr std::string_view name_of(UpdateState state) {
  return update_state_names[static_cast<std::size_t>(state)];
}
constexpr std::optional<UpdateState> update_state_from(std::string_view name) {
  for (std::size_t i = 0; i < update_state_names.size(); ++i) {
    if (update_state_names[i] == name) return static_cast<UpdateState>(i);
  }
  return std::nullopt;
}
constexpr bool is_final(UpdateState state) {
  return state >= UpdateState::succeeded;
}

/// Why an update ended as it did: the `code` of a status' `error`.
enum class Fault : std::uint8_t {
  none,
  bad_notice,
  not_newer,
  wrong_product,
  wrong_hardware,
  wrong_channel,
  step_required,
  bad_signature,
  unknown_key,
  revoked_key,
  manifest_required,
  manifest_mismatch,
  manifest_expired,
  notice_expired,
  security_counter,
  too_large,
  not_an_image,
  wrong_chip,
  download_failed,
  range_ignored,
  digest_mismatch,
  patch_base_mismatch,
  patch_corrupt,
  flash_failed,
  boot_failed,
  self_test_failed,
  trial_timeout,
  power_lost,
  withdrawn,
  superseded,
  attempts_exhausted,
  battery_low,
  busy,
};

inline constexpr std::array<std::string_view, 33> fault_names{"none",
                                                              "bad_notice",
                                                              "not_newer",
                                                              "wrong_product",
                                                              "wrong_hardware",
                                                              "wrong_channel",
                                                              "step_required",
                                                              "bad_signature",
                                                              "unknown_key",
                                                              "revoked_key",
                                                              "manifest_required",
                                                              "manifest_mismatch",
                                                              "manifest_expired",
                                                              "notice_expired",
                                                              "security_counter",
                                                              "too_large",
                                                              "not_an_image",
                                                              "wrong_chip",
                                                              "download_failed",
                                                              "range_ignored",
                                                              "digest_mismatch",
                                                              "patch_base_mismatch",
                                                              "patch_corrupt",
                                                              "flash_failed",
                                                              "boot_failed",
                                                              "self_test_failed",
                                                              "trial_timeout",
                                                              "power_lost",
                                                              "withdrawn",
                                                              "superseded",
                                                              "attempts_exhausted",
                                                              "battery_low",
                                                              "busy"};
static_assert(fault_names[static_cast<std::size_t>(Fault::busy)] == "busy");

constexpr std::string_view name_of(Fault fault) {
  return fault_names[static_cast<std::size_t>(fault)];
}
constexpr std::optional<Fault> fault_from(std::string_view name) {
  for (std::size_t i = 1; i < fault_names.size(); ++i) {
    if (fault_names[i] == name) return static_cast<Fault>(i);
  }
  return std::nullopt;
}

constexpr bool is_device_id_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}
/// `[A-Za-z0-9_-]{1,32}`.
constexpr bool is_device_id(std::string_view text) {
  if (text.empty() || text.size() > max_device_id_bytes) return false;
  for (char c : text) {
    if (!is_device_id_character(c)) return false;
  }
  return true;
}
/// The device id's alphabet, up to max_update_id_bytes.
constexpr bool is_update_id(std::string_view text) {
  if (text.empty() || text.size() > max_update_id_bytes) return false;
  for (char c : text) {
    if (!is_device_id_character(c)) return false;
  }
  return true;
}
/// 12 lower-case hex digits.
constexpr bool is_mac(std::string_view text) {
  if (text.size() != mac_text_bytes) return false;
  for (char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace otaria::contract
