#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "server/store/sqlite.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// The store in one SQLite file: write-ahead log, every commit on the disk before write() returns.
///
/// Errors   the constructor throws DatabaseError: not creatable, not a database, corrupt, of
/// another program, or newer. Threads  any; reads run beside each other and beside the one write.
class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const std::filesystem::path& file);
  ~SqliteStore() override;

  void read(const std::function<void(StoreView&)>& work) override;
  void write(const std::function<void(StoreTransaction&)>& work) override;
  void on_commit(std::function<void(const Changes&)> observer) override;
  void ping() override;

 private:
  std::unique_ptr<sqlite::Connection> borrow_reader();

  std::filesystem::path file_;
  std::mutex write_mutex_;
  std::unique_ptr<sqlite::Connection> writer_;
  std::function<void(const Changes&)> observer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_readers_;
};

}  // namespace otaria::server
