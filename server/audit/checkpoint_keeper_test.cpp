#include "server/audit/checkpoint_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "server/store/sqlite_store.hpp"

namespace otaria::server {
namespace {

namespace fs = std::filesystem;

class Keeper : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-keeper-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    store_ = std::make_unique<SqliteStore>(directory_ / "otaria.db");
    start();
  }
  void TearDown() override {
    keeper_.reset();
    store_.reset();
    fs::remove_all(directory_);
  }
  void start() {
    keeper_.reset();
    keeper_ =
        std::make_unique<CheckpointKeeper>(*store_, audit_key(directory_ / "keys"), file(), false);
  }
  void add_rows(int count) {
    store_->write([&](StoreTransaction& t) {
      for (int i = 0; i < count; ++i) t.append_audit({.at = 1000, .verb = "update.send"});
    });
  }
  [[nodiscard]] fs::path file() const { return directory_ / "checkpoints.jws"; }
  [[nodiscard]] std::string text() const {
    std::ifstream in{file(), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  [[nodiscard]] std::ptrdiff_t lines() const {
    const std::string all = text();
    return std::count(all.begin(), all.end(), '\n');
  }
  contract::AuditVerifier::Verdict verdict() {
    const auto key = audit_key(directory_ / "keys");
    contract::AuditVerifier verifier{text(), key.public_key()};
    store_->read([&](StoreView& view) {
      for (const auto& row : view.audit_rows({.oldest_first = true}, {.limit = 100'000})) {
        verifier.append(row);
      }
    });
    return verifier.verdict();
  }

  fs::path directory_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<CheckpointKeeper> keeper_;
};

TEST_F(Keeper, SignsEvery256Rows) {
  add_rows(255);
  keeper_->tick(1000);
  EXPECT_EQ(lines(), 0);
  add_rows(1);
  keeper_->tick(1001);
  EXPECT_EQ(lines(), 1);
  add_rows(300);
  keeper_->tick(1002);
  EXPECT_EQ(lines(), 2);
  EXPECT_EQ(verdict().defect, "");
  EXPECT_EQ(verdict().checkpoints, 2u);
}

TEST_F(Keeper, SignsAfterFiveMinutesWithANewRow) {
  keeper_->tick(1000);
  keeper_->tick(5000);
  EXPECT_EQ(lines(), 0);
  add_rows(1);
  keeper_->tick(5001);
  keeper_->tick(5300);
  EXPECT_EQ(lines(), 0);
  keeper_->tick(5301);
  EXPECT_EQ(lines(), 1);
  keeper_->tick(9000);
  EXPECT_EQ(lines(), 1);
}

TEST_F(Keeper, SignsWhatIsThereAtTheEndAndGoesOnBehindItAtTheNextStart) {
  add_rows(3);
  keeper_->finish(1000);
  keeper_->finish(1001);
  EXPECT_EQ(lines(), 1);
  start();
  add_rows(2);
  keeper_->finish(2000);
  EXPECT_EQ(lines(), 2);
  EXPECT_EQ(verdict().defect, "");
}

TEST_F(Keeper, CutsOffALineThatAPowerCutTore) {
  add_rows(1);
  keeper_->finish(1000);
  add_rows(1);
  keeper_->finish(1001);
  const std::string whole = text();
  for (const std::size_t length : {whole.size() - 1, whole.size() - 50, std::size_t{1}}) {
    keeper_.reset();
    std::ofstream{file(), std::ios::trunc | std::ios::binary} << whole.substr(0, length);
    start();
    keeper_->finish(2000);
    EXPECT_EQ(verdict().defect, "") << length;
    EXPECT_EQ(verdict().rows, 2);
  }
}

TEST_F(Keeper, DoesNotGoOnBehindACheckpointOfSomebodyElse) {
  add_rows(1);
  keeper_->finish(1000);
  keeper_.reset();
  fs::remove(directory_ / "keys" / "audit.pem");
  EXPECT_THROW(start(), std::runtime_error);
}

TEST_F(Keeper, ItsKeyIsItsOwnersAloneAndStays) {
  struct stat status {};
  ASSERT_EQ(stat((directory_ / "keys" / "audit.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((directory_ / "keys").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(audit_key(directory_ / "keys").public_key().key_id(),
            audit_key(directory_ / "keys").public_key().key_id());
  std::ifstream in{directory_ / "keys" / "audit.pub.pem"};
  const std::string pem{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(crypto::public_key_from_pem(pem)->key_id(),
            audit_key(directory_ / "keys").public_key().key_id());
}

TEST_F(Keeper, FindsATailThatWasCutFromTheDatabase) {
  add_rows(10);
  keeper_->finish(1000);
  sqlite::Connection{directory_ / "otaria.db"}.execute(
      "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE seq > 7");
  EXPECT_EQ(verdict().first_bad, 8);
  EXPECT_THAT(verdict().defect, testing::HasSubstr("its tail was cut"));
}

}  // namespace
}  // namespace otaria::server
