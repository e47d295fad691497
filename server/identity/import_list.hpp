#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Lists of devices from the factory: CSV or JSON.
/// Source  docs/guide/identity.md; CSV: RFC 4180.
namespace otaria::server {

/// A device as a list names it. Texts as they stand there; judge_import() says whether they will
/// do.
struct ImportRow {
  std::size_t line = 0;  ///< in the file, from 1; of JSON: the item, from 1
  std::string id = {};   ///< empty: the server makes one of the MAC
  std::string mac = {};
  std::string public_key = {};  ///< base64url of X || Y; in JSON also PEM
  std::string product = {}, hardware = {};
};

/// What is wrong with a line.
struct ImportError {
  std::size_t line = 0;
  std::string code = {};    ///< `bad_row`, `bad_key`, `duplicate`, `id_conflict`, `mac_registered`
  std::string detail = {};  ///< a sentence
};

struct ImportList {
  std::vector<ImportRow> rows;
  std::vector<ImportError> errors;  ///< when there is one, no row counts
};

inline constexpr std::size_t most_import_rows = 200'000;

/// First line: the columns' names in any order, `id,mac,public_key[,product][,hardware]`. Quotes as
/// in RFC 4180; CRLF or LF; empty lines are passed over.
ImportList read_import_csv(std::string_view text);
/// An array of objects with those members, or `{"devices":[…]}`.
ImportList read_import_json(std::string_view text);

/// What is wrong with the rows by themselves: syntax, keys off the curve, a MAC or id twice. Makes
/// MACs lower case without separators and keys base64url.
std::vector<ImportError> judge_import(std::vector<ImportRow>& rows);

}  // namespace otaria::server
