#include <nlohmann/json.hpp>

#include "server/identity/import_list.hpp"

namespace otaria::server {
namespace {

using Json = nlohmann::json;

ImportError wrong(std::size_t item, const std::string& detail) {
  return {item, "bad_row", detail};
}

/// Takes a member that is absent, null or a text.
bool take(const Json& object, const char* name, std::string& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return true;
  if (!found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

void take_item(const Json& item, std::size_t number, ImportList& list) {
  ImportRow row{.line = number};
  if (!item.is_object() || !take(item, "id", row.id) || !take(item, "mac", row.mac) ||
      !take(item, "public_key", row.public_key) || !take(item, "product", row.product) ||
      !take(item, "hardware", row.hardware)) {
    list.errors.push_back(wrong(
        number, "not an object of texts: mac, public_key, and perhaps id, product, hardware"));
    return;
  }
  list.rows.push_back(std::move(row));
}

}  // namespace

ImportList read_import_json(std::string_view text) {
  ImportList list;
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_object() && parsed.contains("devices")) parsed = Json(parsed["devices"]);
  if (!parsed.is_array()) {
    list.errors.push_back(wrong(1, "neither an array of devices nor {\"devices\":[…]}"));
    return list;
  }
  if (parsed.size() > most_import_rows) {
    list.errors.push_back(wrong(most_import_rows + 1,
                                "more than " + std::to_string(most_import_rows) +
                                    " devices: import them in several files"));
    return list;
  }
  std::size_t number = 0;
  for (const Json& item : parsed) take_item(item, ++number, list);
  return list;
}

}  // namespace otaria::server
