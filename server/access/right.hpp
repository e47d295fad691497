#pragma once

#include <cstdint>
#include <string_view>

namespace otaria::server {

/// What a caller must be allowed to do before an endpoint answers. Roles are sets of these.
/// Source  reference trust, section 14; docs/guide/operators.md.
enum class Right : std::uint8_t {
  open,     ///< nobody is asked: what is served authenticates itself, or says nothing of the fleet
  read,     ///< look at releases, devices, updates and metrics
  publish,  ///< upload images and what was signed elsewhere
  operate,  ///< send and withdraw updates; rollouts
  administer,  ///< tokens, revocation, settings
  audit,       ///< read the audit log
  provision,   ///< enrol devices
  device,      ///< no operator: the handler itself checks what the device signed or carries
};

constexpr std::string_view name_of(Right right) {
  switch (right) {
    case Right::open:
      return "open";
    case Right::read:
      return "read";
    case Right::publish:
      return "publish";
    case Right::operate:
      return "operate";
    case Right::administer:
      return "administer";
    case Right::audit:
      return "audit";
    case Right::provision:
      return "provision";
    case Right::device:
      return "device";
  }
  return "unknown";
}

}  // namespace otaria::server
