#include "server/access/role.hpp"

#include <gtest/gtest.h>

#include <array>

namespace otaria::server {
namespace {

using R = Right;
constexpr std::array every_right{
    R::read, R::publish, R::operate, R::administer, R::audit, R::provision};

struct Row {
  const char* role;
  std::array<bool, every_right.size()> may;
};

TEST(Roles, AreTheSetsOfRightsThatTheGuideLists) {
  // clang-format off
  //                   read   publish operate administer audit  provision
  constexpr std::array table{
    Row{"viewer",      {true,  false, false,  false,     false, false}},
    Row{"publisher",   {true,  true,  false,  false,     false, false}},
    Row{"operator",    {true,  false, true,   false,     false, false}},
    Row{"admin",       {true,  true,  true,   true,      true,  true}},
    Row{"auditor",     {true,  false, false,  false,     true,  false}},
    Row{"provisioner", {false, false, false,  false,     false, true}},
    Row{"agent-ci",    {true,  true,  false,  false,     false, false}},
  };  // clang-format on
  for (const Row& row : table) {
    const auto role = role_from(row.role);
    ASSERT_TRUE(role) << row.role;
    EXPECT_EQ(name_of(*role), row.role);
    for (std::size_t i = 0; i < every_right.size(); ++i) {
      EXPECT_EQ(rights_of(*role).has(every_right[i]), row.may[i])
          << row.role << " " << name_of(every_right[i]);
    }
    // Nobody is a device, and `open` asks nobody: no role holds either.
    EXPECT_FALSE(rights_of(*role).has(R::device));
    EXPECT_FALSE(rights_of(*role).has(R::open));
  }
}

TEST(Roles, AreNotGuessedFromOtherWords) {
  for (const char* word : {"", "Admin", "admin ", "root", "operator_", "agent_ci"}) {
    EXPECT_FALSE(role_from(word)) << word;
  }
}

TEST(Roles, AreNamedByTheRightTheyHave) {
  EXPECT_EQ(roles_with(R::operate), "operator or admin");
  EXPECT_EQ(roles_with(R::administer), "admin");
  EXPECT_EQ(roles_with(R::audit), "admin or auditor");
  EXPECT_EQ(roles_with(R::publish), "publisher, admin or agent-ci");
}

TEST(Rights, OfSeveralRolesAddUp) {
  const Rights both = rights_of(Role::publisher).with(rights_of(Role::auditor));
  EXPECT_TRUE(both.has(R::publish));
  EXPECT_TRUE(both.has(R::audit));
  EXPECT_FALSE(both.has(R::operate));
}

}  // namespace
}  // namespace otaria::server
