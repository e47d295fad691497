#include "server/access/role.hpp"

#include <array>
#include <vector>

namespace otaria::server {
namespace {

struct Row {
  Role role;
  std::string_view name;
  Rights rights;
};

using R = Right;
// clang-format off
constexpr std::array rows{
  Row{Role::viewer,      "viewer",      Rights::of(R::read)},
  Row{Role::publisher,   "publisher",   Rights::of(R::read, R::publish)},
  Row{Role::operator_,   "operator",    Rights::of(R::read, R::operate)},
  Row{Role::admin,       "admin",       Rights::of(R::read, R::publish, R::operate, R::administer, R::audit, R::provision)},
  Row{Role::auditor,     "auditor",     Rights::of(R::read, R::audit)},
  Row{Role::provisioner, "provisioner", Rights::of(R::provision)},
  Row{Role::agent_ci,    "agent-ci",    Rights::of(R::read, R::publish)},
};  // clang-format on

constexpr bool has_one_row_per_role_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].role != static_cast<Role>(i)) return false;
  }
  return rows.size() == static_cast<std::size_t>(Role::agent_ci) + 1;
}
static_assert(has_one_row_per_role_in_order());

const Row& row_of(Role role) {
  return rows[static_cast<std::size_t>(role)];
}

std::string listed(const std::vector<std::string_view>& names, std::string_view last_joint) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? last_joint : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace

std::string_view name_of(Role role) {
  return row_of(role).name;
}

std::optional<Role> role_from(std::string_view name) {
  for (const Row& row : rows) {
    if (row.name == name) return row.role;
  }
  return std::nullopt;
}

Rights rights_of(Role role) {
  return row_of(role).rights;
}

std::string role_names() {
  std::vector<std::string_view> names;
  names.reserve(rows.size());
  for (const Row& row : rows) names.push_back(row.name);
  return listed(names, " or ");
}

std::string roles_with(Right right) {
  std::vector<std::string_view> names;
  for (const Row& row : rows) {
    if (row.rights.has(right)) names.push_back(row.name);
  }
  return listed(names, " or ");
}

}  // namespace otaria::server
