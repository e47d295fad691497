#include "server/store/sqlite.hpp"

#include <sqlite3.h>

#include "server/store/store.hpp"

namespace otaria::server::sqlite {
namespace {

constexpr int busy_timeout_ms = 10'000;

[[noreturn]] void fail(sqlite3* handle, std::string_view doing) {
  const int code = sqlite3_errcode(handle) & 0xff;
  const bool of_the_values =
      code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH || code == SQLITE_TOOBIG;
  throw DatabaseError{std::string{doing} + ": " + sqlite3_errmsg(handle) + " (SQLite code " +
                          std::to_string(sqlite3_extended_errcode(handle)) + ")",
                      !of_the_values};
}

}  // namespace

Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(connection_, "running a statement");
}

void Statement::run() {
  while (step()) {
  }
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<std::string> Statement::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

void Statement::bind_one(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_, index, value) != SQLITE_OK)
    fail(connection_, "binding a number");
}

void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL in place of an empty text.
  const char* bytes = value.data() == nullptr ? "" : value.data();
  if (sqlite3_bind_text(statement_, index, bytes, static_cast<int>(value.size()), SQLITE_STATIC) !=
      SQLITE_OK) {
    fail(connection_, "binding a text");
  }
}

void Statement::bind_one(int index, std::nullopt_t) {
  if (sqlite3_bind_null(statement_, index) != SQLITE_OK) fail(connection_, "binding nothing");
}

Connection::Connection(const std::filesystem::path& file) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    const std::string reason = handle_ ? sqlite3_errmsg(handle_) : "out of memory";
    sqlite3_close(handle_);
    throw DatabaseError{"cannot open the database " + file.string() + ": " + reason};
  }
  try {
    sqlite3_busy_timeout(handle_, busy_timeout_ms);
    execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
  } catch (const DatabaseError& error) {
    sqlite3_close(handle_);
    throw DatabaseError{"the database " + file.string() + " cannot be used: " + error.what()};
  }
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Statement Connection::lend(std::string_view sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr && sqlite3_prepare_v3(handle_,
                                                 sql.data(),
                                                 static_cast<int>(sql.size()),
                                                 SQLITE_PREPARE_PERSISTENT,
                                                 &statement,
                                                 nullptr) != SQLITE_OK) {
    statements_.erase(sql);
    fail(handle_, "preparing a statement");
  }
  return {handle_, statement};
}

void Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(handle_, "executing");
  }
}

std::int64_t Connection::pragma(const std::string& name) {
  sqlite3_stmt* raw = nullptr;
  const std::string sql = "PRAGMA " + name;
  if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    fail(handle_, "reading PRAGMA " + name);
  }
  const bool row = sqlite3_step(raw) == SQLITE_ROW;
  const std::int64_t value = row ? sqlite3_column_int64(raw, 0) : 0;
  if (sqlite3_finalize(raw) != SQLITE_OK) fail(handle_, "reading PRAGMA " + name);
  return value;
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}

}  // namespace otaria::server::sqlite
