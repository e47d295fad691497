#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "server/store/sqlite_store.hpp"

namespace otaria::server {
namespace {

/// A database of three audit rows, and SQL on it past the store.
class AuditTable : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-audit-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    SqliteStore store{directory_ / "otaria.db"};
    store.write([](StoreTransaction& t) {
      for (int i = 1; i <= 3; ++i) {
        t.append_audit({.at = i, .verb = "token.create", .subject = std::to_string(i)});
      }
    });
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string error_of(const std::string& sql) {
    sqlite::Connection connection{directory_ / "otaria.db"};
    try {
      connection.execute(sql);
    } catch (const DatabaseError& error) {
      return error.what();
    }
    return "executed";
  }

  std::filesystem::path directory_;
};

TEST_F(AuditTable, RefusesToBeChangedOrShortened) {
  for (const char* sql : {"UPDATE audit SET subject = 'other' WHERE seq = 2",
                          "UPDATE audit SET hash = hash",
                          "DELETE FROM audit WHERE seq = 3",
                          "DELETE FROM audit",
                          "INSERT OR REPLACE INTO audit SELECT seq, at, 'other', source, verb, "
                          "subject, outcome, detail, prev, hash FROM audit WHERE seq = 3",
                          "INSERT INTO audit SELECT 9, at, actor, source, verb, subject, outcome, "
                          "detail, prev, hash FROM audit WHERE seq = 3"}) {
    EXPECT_THAT(error_of(sql), testing::HasSubstr("append-only")) << sql;
  }
}

// Whoever owns the file can remove the triggers; then the chain speaks.
TEST_F(AuditTable, ChangedPastItsTriggersBreaksTheChain) {
  ASSERT_EQ(error_of("DROP TRIGGER audit_is_not_changed; "
                     "UPDATE audit SET subject = 'other' WHERE seq = 2"),
            "executed");
  SqliteStore store{directory_ / "otaria.db"};
  store.read([](StoreView& view) {
    contract::AuditChain chain;
    const auto rows = view.audit_rows({.oldest_first = true}, {});
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_FALSE(chain.append(rows[0]));
    EXPECT_THAT(chain.append(rows[1]).value_or(""), testing::HasSubstr("row 2 was changed"));
  });
}

}  // namespace
}  // namespace otaria::server
