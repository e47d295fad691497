#include "contract/audit/audit_row.hpp"

#include <nlohmann/json.hpp>

#include "contract/digest.hpp"
#include "contract/json_text.hpp"
#include "contract/openssl/crypto.hpp"

namespace otaria::contract {
namespace {

// Its members are sorted by their bytes, which for ASCII names is the order RFC 8785 asks for; it
// escapes as RFC 8785 does; the only numbers are whole ones below 2^53.
using Json = nlohmann::json;

constexpr std::size_t longest_text = 512;
constexpr std::size_t longest_detail = 4096;
constexpr std::int64_t largest_number = (std::int64_t{1} << 53) - 1;

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// At most `longest` bytes of UTF-8 without NUL, which our JSON check takes for an attack, cut
/// between characters.
std::string clean(std::string_view text, std::size_t longest = longest_text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t bytes = text.front() == '\0' ? 0 : utf8_sequence_bytes(text);
    const std::string_view next =
        bytes == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, bytes);
    if (kept.size() + next.size() > longest) break;
    kept += next;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return kept;
}

bool is_plain_value(const Json& value) {
  if (value.is_number_unsigned())
    return value.get<std::uint64_t>() <= std::uint64_t{largest_number};
  if (value.is_number_integer()) return value.get<std::int64_t>() >= -largest_number;
  return value.is_string() || value.is_boolean();
}

/// The object of plain values that the text is, or a discarded value.
Json detail_from(std::string_view text) {
  Json discarded(Json::value_t::discarded);
  if (text.size() > longest_detail || check_json(text).defect != Defect::none) return discarded;
  Json detail = Json::parse(text, nullptr, false);
  if (!detail.is_object()) return discarded;
  for (const Json& value : detail) {
    if (!is_plain_value(value)) return discarded;
  }
  return detail;
}

Json json_of(const AuditRow& row) {
  const Json detail = detail_from(row.detail);
  return {{"seq", row.seq},
          {"at", row.at},
          {"actor", row.actor},
          {"source", row.source},
          {"verb", row.verb},
          {"subject", row.subject},
          {"outcome", row.outcome},
          {"detail", detail.is_discarded() ? Json(row.detail) : detail},
          {"prev", row.prev}};
}

bool take_text(const Json& json, const char* name, std::string& into) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

bool take_number(const Json& json, const char* name, std::int64_t& into) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer() || !is_plain_value(*found)) return false;
  into = found->get<std::int64_t>();
  return true;
}

}  // namespace

std::string audit_detail(std::initializer_list<std::pair<std::string_view, AuditValue>> members) {
  Json detail = Json::object();
  for (const auto& [name, value] : members) {
    Json& member = detail[std::string{name}];
    if (const auto* text = std::get_if<std::string>(&value)) {
      member = clean(*text);
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      member = *number;
    } else {
      member = std::get<bool>(value);
    }
  }
  return written(detail);
}

AuditRow chained(const AuditEvent& event, std::int64_t seq, const std::string& prev) {
  AuditRow row;
  row.seq = seq;
  row.at = event.at;
  row.actor = clean(event.actor);
  row.source = clean(event.source);
  row.verb = clean(event.verb);
  row.subject = clean(event.subject);
  row.outcome = clean(event.outcome);
  const Json detail = detail_from(event.detail);
  row.detail = detail.is_discarded() ? "{}" : written(detail);
  row.prev = prev;
  row.hash = audit_hash(row);
  return row;
}

std::string audit_json(const AuditRow& row) {
  Json json = json_of(row);
  json["hash"] = row.hash;
  return written(json);
}

std::optional<AuditRow> audit_row_from(std::string_view line) {
  if (check_json(line).defect != Defect::none) return std::nullopt;
  const Json json = Json::parse(line, nullptr, false);
  AuditRow row;
  const auto detail = json.find("detail");
  if (!json.is_object() || detail == json.end() || !detail->is_object()) return std::nullopt;
  row.detail = written(*detail);
  if (!take_number(json, "seq", row.seq) || !take_number(json, "at", row.at) ||
      !take_text(json, "actor", row.actor) || !take_text(json, "source", row.source) ||
      !take_text(json, "verb", row.verb) || !take_text(json, "subject", row.subject) ||
      !take_text(json, "outcome", row.outcome) || !take_text(json, "prev", row.prev) ||
      !take_text(json, "hash", row.hash)) {
    return std::nullopt;
  }
  if (audit_json(row) != line) return std::nullopt;
  return row;
}

std::string audit_hash(const AuditRow& row) {
  const auto prev = digest_from_hex(row.prev);
  if (!prev) return {};
  std::string text{reinterpret_cast<const char*>(prev->bytes.data()), prev->bytes.size()};
  text += written(json_of(row));
  const auto hex = hex_of(crypto::sha256(text));
  return {hex.data(), hex.size()};
}

std::optional<std::string> AuditChain::append(const AuditRow& row) {
  const std::string expected_seq = std::to_string(last_ + 1);
  if (row.seq != last_ + 1) {
    return "row " + std::to_string(row.seq) + " stands where row " + expected_seq + " should";
  }
  if (row.prev != hash_) {
    return "row " + expected_seq + " does not follow the row before it: its `prev` is " +
           row.prev.substr(0, 16) + "…, the hash before it " + hash_.substr(0, 16) + "…";
  }
  if (audit_hash(row) != row.hash) {
    return "row " + expected_seq + " was changed: its hash does not fit what it says";
  }
  last_ = row.seq;
  hash_ = row.hash;
  return std::nullopt;
}

}  // namespace otaria::contract
