#include "server/identity/import_list.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "contract/vocabulary.hpp"
#include "server/identity/signed_request.hpp"
#include "server/registry/identity.hpp"

namespace otaria::server {
namespace {

constexpr std::array<std::string_view, 5> columns{"id", "mac", "public_key", "product", "hardware"};

std::string& field(ImportRow& row, std::size_t column) {
  switch (column) {
    case 0:
      return row.id;
    case 1:
      return row.mac;
    case 2:
      return row.public_key;
    case 3:
      return row.product;
    default:
      return row.hardware;
  }
}

/// Records of RFC 4180, one after the other.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_{text} {}
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  /// Of the record that comes next, or was read last.
  [[nodiscard]] std::size_t line() const { return record_line_; }

  /// Nothing: a quote that is not closed, or text behind one.
  std::optional<std::vector<std::string>> next() {
    record_line_ = line_;
    std::vector<std::string> fields;
    for (;;) {
      auto one = at_ < text_.size() && text_[at_] == '"' ? quoted() : plain();
      if (!one) return std::nullopt;
      fields.push_back(std::move(*one));
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      if (at_ < text_.size() && text_[at_] != '\n') return std::nullopt;
      ++at_;
      ++line_;
      return fields;
    }
  }

 private:
  std::optional<std::string> plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
    std::string found{text_.substr(at_, end - at_)};
    at_ = end;
    while (found.ends_with(' ')) found.pop_back();
    found.erase(0, std::min(found.find_first_not_of(' '), found.size()));
    return found;
  }

  std::optional<std::string> quoted() {
    std::string found;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        found += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        found += text_[++at_];
      } else {
        ++at_;
        return found;
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
};

ImportError bad_row(std::size_t line, const std::string& detail) {
  return {line, "bad_row", detail};
}

/// For each field of the file the column it fills, or what is wrong with the first line.
std::vector<std::size_t> header_columns(const std::vector<std::string>& names,
                                        std::vector<ImportError>& errors) {
  std::vector<std::size_t> order;
  for (const std::string& name : names) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    const auto column = static_cast<std::size_t>(found - columns.begin());
    if (found == columns.end() || std::count(order.begin(), order.end(), column) > 0) {
      errors.push_back(bad_row(1,
                               "the first line names the columns, id,mac,public_key and perhaps "
                               "product,hardware, each once; \"" +
                                   name.substr(0, 40) + "\" is none"));
      return {};
    }
    order.push_back(column);
  }
  for (const std::size_t needed : {std::size_t{1}, std::size_t{2}}) {
    if (std::count(order.begin(), order.end(), needed) == 0) {
      errors.push_back(
          bad_row(1, "the first line does not name the column " + std::string{columns[needed]}));
    }
  }
  return order;
}

bool is_blank(const std::vector<std::string>& fields) {
  return fields.size() == 1 && fields[0].empty();
}

// People write MACs in more ways than one.
std::string plain_mac(const std::string& text) {
  std::string mac;
  for (const char c : text) {
    if (c == ':' || c == '-') continue;
    mac += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return mac;
}

std::optional<ImportError> judge_row(ImportRow& row) {
  row.mac = plain_mac(row.mac);
  const auto wrong = [&](const char* code, const std::string& detail) {
    return ImportError{row.line, code, detail};
  };
  if (!contract::is_mac(row.mac)) return wrong("bad_row", "the MAC is not 12 hex digits");
  if (!row.id.empty() && !contract::is_device_id(row.id)) {
    return wrong("bad_row", "the id is not 1 to 32 of A-Z a-z 0-9 _ -");
  }
  for (const std::string* name : {&row.product, &row.hardware}) {
    if (!name->empty() && !is_plain_name(*name)) {
      return wrong("bad_row", "product and hardware are names of 1 to 32 of A-Z a-z 0-9 . _ -");
    }
  }
  std::optional<crypto::PublicKey> key;
  if (row.public_key.find("-----BEGIN") != std::string::npos) {
    key = crypto::public_key_from_pem(row.public_key);
    if (key && key->algorithm != contract::Algorithm::es256) key.reset();
  } else {
    key = device_key_from(row.public_key);
  }
  if (!key) {
    return wrong("bad_key", "the public key is no point on P-256 (base64url of X || Y, 64 bytes)");
  }
  row.public_key = key->base64url();
  return std::nullopt;
}

}  // namespace

ImportList read_import_csv(std::string_view text) {
  ImportList list;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  CsvReader reader{text};
  const auto names = reader.next();
  if (!names) {
    list.errors.push_back(bad_row(1, "the quotes of the first line do not close"));
    return list;
  }
  const std::vector<std::size_t> order = header_columns(*names, list.errors);
  while (list.errors.empty() && !reader.at_end()) {
    const auto fields = reader.next();
    if (!fields) {
      list.errors.push_back(bad_row(reader.line(), "a quote is not closed, or not at an end"));
    } else if (!is_blank(*fields)) {
      if (fields->size() != order.size()) {
        list.errors.push_back(bad_row(reader.line(),
                                      std::to_string(fields->size()) + " fields in place of " +
                                          std::to_string(order.size())));
        break;
      }
      ImportRow row{.line = reader.line()};
      for (std::size_t i = 0; i < order.size(); ++i) field(row, order[i]) = (*fields)[i];
      list.rows.push_back(std::move(row));
    }
    if (list.rows.size() > most_import_rows) {
      list.errors.push_back(bad_row(reader.line(),
                                    "more than " + std::to_string(most_import_rows) +
                                        " devices: import them in several files"));
    }
  }
  return list;
}

std::vector<ImportError> judge_import(std::vector<ImportRow>& rows) {
  std::vector<ImportError> errors;
  std::map<std::string, std::size_t> macs, ids;
  const auto note_twice = [&](std::map<std::string, std::size_t>& seen,
                              const std::string& what,
                              const std::string& value,
                              std::size_t line) {
    const auto [place, first] = seen.emplace(value, line);
    if (first) return;
    errors.push_back(
        {line,
         "duplicate",
         what + " " + value + " stands in line " + std::to_string(place->second) + " already"});
  };
  for (ImportRow& row : rows) {
    if (auto error = judge_row(row)) {
      errors.push_back(std::move(*error));
      continue;
    }
    note_twice(macs, "MAC", row.mac, row.line);
    if (!row.id.empty()) note_twice(ids, "id", row.id, row.line);
  }
  return errors;
}

}  // namespace otaria::server
