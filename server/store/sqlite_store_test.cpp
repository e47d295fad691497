#include "server/store/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "server/store/sqlite_schema.hpp"

namespace otaria::server {
namespace {

class SqliteFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/otaria-sqlite-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    file_ = directory_ / "otaria.db";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string error_of_opening() {
    try {
      SqliteStore store{file_};
    } catch (const DatabaseError& error) {
      return error.what();
    }
    return "opened";
  }
  void add_devices(int count) {
    SqliteStore store{file_};
    store.write([&](StoreTransaction& t) {
      for (int i = 0; i < count; ++i) {
        Device device;
        device.id = "sensor_" + std::to_string(i);
        t.put_device(device);
      }
    });
  }

  std::filesystem::path directory_, file_;
};

TEST_F(SqliteFile, IsReadableByItsOwnerOnly) {
  add_devices(1);
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SqliteFile, ThatIsNoDatabaseIsRefusedByName) {
  std::ofstream{file_} << std::string(4096, 'x');
  const std::string error = error_of_opening();
  EXPECT_NE(error.find(file_.string()), std::string::npos) << error;
  EXPECT_NE(error.find("not a database"), std::string::npos) << error;
}

TEST_F(SqliteFile, ThatIsDamagedIsRefused) {
  add_devices(3000);
  {
    std::fstream damaged{file_, std::ios::in | std::ios::out | std::ios::binary};
    damaged.seekp(std::streamoff{4096} * 10);
    for (int page = 0; page < 40; ++page) damaged << std::string(4096, '\x5a');
  }
  // Which of the two depends on the page that SQLite meets first.
  EXPECT_THAT(error_of_opening(),
              testing::AnyOf(testing::HasSubstr("damaged"), testing::HasSubstr("malformed")));
}

TEST_F(SqliteFile, OfANewerServerIsRefusedAndLeftAlone) {
  add_devices(1);
  sqlite::Connection{file_}.execute("PRAGMA user_version = 999");
  EXPECT_NE(error_of_opening().find("schema 999"), std::string::npos) << error_of_opening();
  EXPECT_EQ(sqlite::Connection{file_}.pragma("user_version"), 999);
}

TEST_F(SqliteFile, OfAnotherProgramIsRefused) {
  sqlite::Connection{file_}.execute("CREATE TABLE theirs (x)");
  EXPECT_NE(error_of_opening().find("not made by otariad"), std::string::npos)
      << error_of_opening();
}

TEST_F(SqliteFile, CarriesTheNumberOfItsSchema) {
  add_devices(1);
  EXPECT_EQ(sqlite::Connection{file_}.pragma("user_version"), sqlite::newest_schema_version());
}

TEST_F(SqliteFile, IsWrittenThroughToTheDisk) {
  sqlite::Connection connection{file_};
  EXPECT_EQ(connection.pragma("synchronous"), 2);  // FULL
  EXPECT_EQ(connection.pragma("foreign_keys"), 1);
}

TEST_F(SqliteFile, KeepsWhatWasCommittedWhenTheServerIsKilledBeforeTheEffect) {
  int committed[2];
  ASSERT_EQ(pipe(committed), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SqliteStore store{file_};
    store.write([](StoreTransaction& t) {
      Device device;
      device.id = "sensor_A1B2";
      t.put_device(device);
      Deployment deployment;
      deployment.id = "U1";
      deployment.device = "sensor_A1B2";
      t.put_deployment(deployment);
      t.put_outbox("sensor_A1B2", "U1", 0);
    });
    const char done = 'c';
    if (write(committed[1], &done, 1) != 1) _exit(1);
    for (;;) pause();  // the publish would come here
  }
  char done = 0;
  ASSERT_EQ(read(committed[0], &done, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(committed[0]);
  close(committed[1]);

  SqliteStore store{file_};
  std::vector<OutboxRow> due;
  store.read([&](StoreView& view) { due = view.due_notices(1, 10); });
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].update, "U1");
}

TEST_F(SqliteFile, KeepsNothingOfATransactionTheServerWasKilledIn) {
  add_devices(0);
  int half_way[2];
  ASSERT_EQ(pipe(half_way), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SqliteStore store{file_};
    store.write([&](StoreTransaction& t) {
      Device device;
      device.id = "sensor_A1B2";
      t.put_device(device);
      const char at = 'h';
      if (write(half_way[1], &at, 1) != 1) _exit(1);
      for (;;) pause();
    });
  }
  char at = 0;
  ASSERT_EQ(read(half_way[0], &at, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(half_way[0]);
  close(half_way[1]);

  SqliteStore store{file_};
  std::optional<Device> device;
  store.read([&](StoreView& view) { device = view.device("sensor_A1B2"); });
  EXPECT_FALSE(device.has_value());
  store.write([](StoreTransaction& t) { t.renew_outbox(1); });  // no lock was left behind
}

}  // namespace
}  // namespace otaria::server
