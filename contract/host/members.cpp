#include "contract/host/members.hpp"

#include <algorithm>
#include <set>

#include "contract/digest.hpp"
#include "contract/json_text.hpp"

namespace otaria::contract {
namespace {

/// Sees every key while nlohmann/json parses, because its objects keep only the last of equal ones.
class DuplicateWatch {
 public:
  DuplicateWatch(std::span<const std::string_view> known, Problem& problem)
      : known_{known}, problem_{problem} {}

  void key(int depth, const std::string& name) {
    if (depth > 2) return;
    if (depth == 1) outer_ = name;
    const std::string path = depth == 1 ? name : outer_ + "." + name;
    if (std::ranges::find(known_, path) == known_.end()) return;
    if (!seen_.insert(path).second) problem_.note(Defect::duplicate_member, path);
  }

 private:
  std::span<const std::string_view> known_;
  Problem& problem_;
  std::string outer_;
  std::set<std::string> seen_;
};

/// False when the text cannot be read at all.
bool check(std::string_view payload, Problem& problem) {
  if (payload.size() > max_packet_bytes) {
    problem.note(Defect::too_long, {});
    return false;
  }
  const JsonCheck found = check_json(payload);
  if (found.defect == Defect::none) return true;
  char name[max_packet_bytes];
  std::size_t length = 0;
  if (decode_json_string(found.member, name, length) != Defect::none) length = 0;
  problem.note(found.defect, {name, length});
  return false;
}

}  // namespace

nlohmann::json parse_message(std::string_view payload,
                             std::span<const std::string_view> known,
                             Problem& problem) {
  if (!check(payload, problem)) return nullptr;
  DuplicateWatch watch{known, problem};
  const auto on_event =
      [&watch](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        if (event == nlohmann::json::parse_event_t::key)
          watch.key(depth, parsed.get_ref<const std::string&>());
        return true;
      };
  nlohmann::json message = nlohmann::json::parse(payload, on_event, /*allow_exceptions=*/false);
  if (message.is_discarded()) {
    problem.note(Defect::not_json, {});
    return nullptr;
  }
  if (!message.is_object()) {
    problem.note(Defect::not_an_object, {});
    return nullptr;
  }
  return message;
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_plain_text(std::string_view text) {
  return !text.empty() && is_one_line(text);
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return hex_value(c) >= 0; });
}

bool is_fault_code(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

const nlohmann::json* Members::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

std::optional<std::string> Members::text(const char* name,
                                         std::size_t longest,
                                         Predicate is_valid) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    note(Defect::wrong_type, name);
    return std::nullopt;
  }
  const auto& held = value->get_ref<const std::string&>();
  if (held.size() > longest) {
    note(Defect::too_long, name);
    return std::nullopt;
  }
  if (!is_valid(held)) {
    note(Defect::bad_value, name);
    return std::nullopt;
  }
  return held;
}

std::optional<std::uint32_t> Members::number(const char* name, std::uint32_t maximum) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    note(Defect::wrong_type, name);
    return std::nullopt;
  }
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > maximum) {
    note(Defect::out_of_range, name);
    return std::nullopt;
  }
  return value->get<std::uint32_t>();
}

std::optional<bool> Members::boolean(const char* name) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    note(Defect::wrong_type, name);
    return std::nullopt;
  }
  return value->get<bool>();
}

std::optional<UpdateState> Members::state(const char* name) const {
  const auto named = text(name, max_packet_bytes);
  if (!named) return std::nullopt;
  const auto state = update_state_from(*named);
  if (!state) note(Defect::bad_value, name);
  return state;
}

const nlohmann::json* Members::object(const char* name) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr || value->is_object()) return value;
  note(Defect::wrong_type, name);
  return nullptr;
}

}  // namespace otaria::contract
