#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite in C++: errors thrown as DatabaseError, handles closed, statements prepared once.
namespace otaria::server::sqlite {

/// A prepared statement, lent by its connection; reset when the loan ends.
class Statement {
 public:
  Statement(sqlite3* connection, sqlite3_stmt* statement)
      : connection_{connection}, statement_{statement} {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the values to ?1, ?2, …; texts must outlive the loan.
  template <class... Values>
  Statement& bind(const Values&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  bool step();  ///< true: a row is there
  void run();   ///< for statements without rows

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const;
  [[nodiscard]] std::optional<std::string> maybe_text(int column) const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, std::string_view value);
  void bind_one(int index, std::nullopt_t);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view{value}); }
  void bind_one(int index, int value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, bool value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, std::uint32_t value) { bind_one(index, std::int64_t{value}); }
  template <class T>
  void bind_one(int index, const std::optional<T>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      bind_one(index, std::nullopt);
    }
  }

  sqlite3* connection_;
  sqlite3_stmt* statement_;
};

/// One connection. Threads: one at a time.
class Connection {
 public:
  /// Opens, or creates (mode 0600), and sets what durability needs: WAL, synchronous=FULL, foreign
  /// keys.
  explicit Connection(const std::filesystem::path& file);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `sql` must be a literal: statements are kept by its address and text. Not lent twice at once.
  Statement lend(std::string_view sql);
  void execute(const std::string& sql);  ///< several statements, no values
  std::int64_t pragma(const std::string& name);
  [[nodiscard]] std::int64_t changes() const;

 private:
  sqlite3* handle_ = nullptr;
  std::map<std::string_view, sqlite3_stmt*> statements_;
};

}  // namespace otaria::server::sqlite
