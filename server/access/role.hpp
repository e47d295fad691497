#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/access/right.hpp"

namespace otaria::server {

/// A set of rights.
class Rights {
 public:
  constexpr Rights() = default;
  template <class... Others>
  static constexpr Rights of(Others... rights) {
    Rights set;
    ((set.bits_ = static_cast<std::uint16_t>(set.bits_ | bit(rights))), ...);
    return set;
  }
  [[nodiscard]] constexpr bool has(Right right) const { return (bits_ & bit(right)) != 0; }
  [[nodiscard]] constexpr Rights with(Rights other) const {
    Rights set;
    set.bits_ = static_cast<std::uint16_t>(bits_ | other.bits_);
    return set;
  }
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  static constexpr std::uint16_t bit(Right right) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(right));
  }
  std::uint16_t bits_ = 0;
};

/// What somebody is trusted with. Roles are sets of rights, in no order.
/// Source  reference trust, section 14.
enum class Role : std::uint8_t {
  viewer,
  publisher,
  operator_,
  admin,
  auditor,
  provisioner,
  agent_ci,  ///< a publisher of one product
};

std::string_view name_of(Role role);  ///< as in the API: `agent-ci`
std::optional<Role> role_from(std::string_view name);
Rights rights_of(Role role);
/// Every role's name, for errors: `viewer, publisher, …`.
std::string role_names();
/// The roles that have the right, for errors: `operator or admin`.
std::string roles_with(Right right);

}  // namespace otaria::server
