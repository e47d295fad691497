#include "server/store/sqlite_store.hpp"

#include <sys/stat.h>

#include "server/store/sqlite_schema.hpp"
#include "server/store/sqlite_transaction.hpp"

namespace otaria::server {
namespace {

// Beyond this size the check would delay a start by seconds; damage then shows as an error of the
// query that meets it.
constexpr std::uintmax_t largest_checked_file = 256u << 20;

void check_whole(sqlite::Connection& connection, const std::filesystem::path& file) {
  std::error_code none;
  if (std::filesystem::file_size(file, none) > largest_checked_file) return;
  auto statement = connection.lend("PRAGMA quick_check(1)");
  const std::string verdict = statement.step() ? statement.text(0) : "no answer";
  if (verdict != "ok") {
    throw DatabaseError{"is damaged (" + verdict + "): restore it from a backup"};
  }
}

}  // namespace

SqliteStore::SqliteStore(const std::filesystem::path& file) : file_{file} {
  const mode_t before = umask(0077);  // what the fleet runs is nobody else's business
  try {
    writer_ = std::make_unique<sqlite::Connection>(file_);
    umask(before);
  } catch (...) {
    umask(before);
    throw;
  }
  try {
    check_whole(*writer_, file_);
    sqlite::migrate(*writer_);
  } catch (const DatabaseError& error) {
    throw DatabaseError{"the database " + file_.string() + ": " + error.what()};
  }
}

SqliteStore::~SqliteStore() = default;

std::unique_ptr<sqlite::Connection> SqliteStore::borrow_reader() {
  {
    const std::scoped_lock lock{readers_mutex_};
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  auto reader = std::make_unique<sqlite::Connection>(file_);
  reader->execute("PRAGMA query_only = ON");
  return reader;
}

void SqliteStore::read(const std::function<void(StoreView&)>& work) {
  auto reader = borrow_reader();  // lost, not given back, when the work throws
  reader->execute("BEGIN");
  sqlite::Transaction view{*reader};
  work(view);
  reader->execute("COMMIT");
  const std::scoped_lock lock{readers_mutex_};
  idle_readers_.push_back(std::move(reader));
}

void SqliteStore::write(const std::function<void(StoreTransaction&)>& work) {
  const std::scoped_lock lock{write_mutex_};
  sqlite::Transaction transaction{*writer_};
  writer_->execute("BEGIN IMMEDIATE");
  try {
    work(transaction);
    writer_->execute("COMMIT");
  } catch (...) {
    try {
      writer_->execute("ROLLBACK");
    } catch (const DatabaseError&) {
      // SQLite has rolled back by itself (disk full, I/O error); the first exception tells why.
    }
    throw;
  }
  if (observer_ && !transaction.changes().empty()) observer_(transaction.changes());
}

void SqliteStore::on_commit(std::function<void(const Changes&)> observer) {
  const std::scoped_lock lock{write_mutex_};
  observer_ = std::move(observer);
}

void SqliteStore::ping() {
  read([](StoreView& view) { view.outbox_row(""); });
}

}  // namespace otaria::server
