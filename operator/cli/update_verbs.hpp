#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "operator/cli/context.hpp"

namespace otaria::cli {

struct SendArguments {
  std::vector<std::string> devices;
  std::string release;  ///< version or id
  std::string product;
  bool force = false;
  bool preflight = false;  ///< let the server refuse what the device would refuse as not newer
  std::uint32_t spread_s = 0;
  std::uint32_t not_before = 0;  ///< Unix seconds, 0: none
  std::uint32_t deadline = 0;
  bool wait = false;
  unsigned timeout_s = 0;
};

struct UpdateFilter {
  std::string device;
  std::string state;
  bool open = false;
  std::size_t limit = 100;
};

int send_update(Context& context, const SendArguments& arguments);
int list_updates(Context& context, const UpdateFilter& filter);
int show_update(Context& context, const std::string& id);
/// `ids` empty: every update that is open now, or the open ones of `device`.
int watch_verb(Context& context,
               const std::vector<std::string>& ids,
               const std::string& device,
               unsigned timeout_s);
int withdraw_updates(Context& context, const std::vector<std::string>& ids);

/// Throws Failure (usage) for what can be no device id.
void check_device_ids(const std::vector<std::string>& ids);

/// Unix seconds from `1790000000`, `2026-11-24T20:00:00Z`, or `+90s`, `+15m`, `+2h`, `+1d` from
/// now; nothing else.
std::optional<std::uint32_t> time_from(const std::string& text, std::int64_t now);

/// Seconds from `300`, `300s`, `5m`, `2h`, `1d`.
std::optional<std::uint32_t> duration_from(const std::string& text);

}  // namespace otaria::cli
