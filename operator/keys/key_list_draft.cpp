#include "operator/keys/key_list_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "contract/trust/byte_source.hpp"
#include "operator/keys/key_error.hpp"
#include "operator/keys/signed_text.hpp"

namespace otaria::keys {
namespace {

using contract::Defect;
using contract::KeyRole;
using Json = nlohmann::json;  // sorts its members by their bytes, as RFC 8785 asks for ASCII names

/// Takes a list into a draft while the device's reader walks it.
class DraftVisitor final : public contract::KeyListVisitor {
 public:
  explicit DraftVisitor(KeyListDraft& draft) : draft_{draft} {}
  void on_key(const contract::ListedKey& key) override {
    draft_.keys.push_back(
        {{key.algorithm, {key.public_key.begin(), key.public_key.end()}}, key.role});
  }
  void on_revoked(std::string_view key_id) override { draft_.revoked.emplace_back(key_id); }
  void on_floor(std::string_view product, std::uint32_t security_counter) override {
    draft_.floors[std::string{product}] = security_counter;
  }
  void on_pin(std::string_view host, const contract::Digest& pin) override {
    draft_.pins[std::string{host}].push_back(crypto::base64url(pin.bytes));
  }

 private:
  KeyListDraft& draft_;
};

Defect read_into(std::string_view payload,
                 contract::KeyListHead& head,
                 contract::KeyListVisitor& visitor) {
  contract::MemoryBytes bytes{payload};
  crypto::Sha256Hasher hasher;
  return contract::read_key_list(bytes, hasher, head, visitor);
}

KeyError bad_list(const std::string& why) {
  return usage_error("bad_key_list",
                     fmt::format("This is no key list that a device would read: {}.", why),
                     "Make one: otaria keylist make --root REF --release REF --out FILE");
}

/// The reader passes over members that it does not know; a draft cannot keep them.
void refuse_unknown_members(std::string_view payload) {
  static const std::set<std::string> of_list{"fmt",
                                             "serial",
                                             "epoch",
                                             "issued",
                                             "expires",
                                             "threshold",
                                             "keys",
                                             "revoked",
                                             "floor",
                                             "pins"};
  static const std::set<std::string> of_key{"kid", "alg", "pub", "roles"};
  static const std::set<std::string> of_threshold{"root", "release", "order"};
  const auto check = [](const Json& object, const std::set<std::string>& known) {
    for (const auto& [name, value] : object.items()) {
      if (known.contains(name)) continue;
      throw usage_error(
          "unknown_member",
          fmt::format("The list has a member `{}` that this version does not know.", name),
          "Edit it with a version of otaria that does, or it would be lost.");
    }
  };
  const Json list = Json::parse(payload, nullptr, false);
  if (!list.is_object()) throw bad_list("not JSON");
  check(list, of_list);
  check(list.at("threshold"), of_threshold);
  for (const Json& key : list.at("keys")) check(key, of_key);
}

Json json_of(const KeyListDraft& draft) {
  Json list{{"fmt", contract::key_list_format},
            {"serial", draft.serial},
            {"epoch", draft.epoch},
            {"issued", draft.issued},
            {"expires", draft.expires},
            {"keys", Json::array()}};
  for (std::size_t role = 0; role < contract::key_roles; ++role) {
    // Nobody asks for orders while no key may sign them.
    if (draft.threshold[role] == 0 && static_cast<KeyRole>(role) == KeyRole::order) continue;
    list["threshold"][std::string{name_of(static_cast<KeyRole>(role))}] = draft.threshold[role];
  }
  for (const DraftKey& each : draft.keys) {
    list["keys"].push_back({{"kid", each.key.key_id()},
                            {"alg", name_of(each.key.algorithm)},
                            {"pub", each.key.base64url()},
                            {"roles", Json::array({name_of(each.role)})}});
  }
  if (!draft.revoked.empty()) list["revoked"] = draft.revoked;
  if (!draft.floors.empty()) list["floor"] = draft.floors;
  if (!draft.pins.empty()) list["pins"] = draft.pins;
  return list;
}

void check_counts(const KeyListDraft& draft) {
  if (draft.keys.size() > contract::max_key_list_keys) {
    throw refusal("too_many_keys",
                  fmt::format("The list would have {} keys; {} is the most.",
                              draft.keys.size(),
                              contract::max_key_list_keys),
                  "Drop those that are not used any more: otaria key rotate KID --finish.");
  }
  for (const KeyRole role : {KeyRole::root, KeyRole::release, KeyRole::order}) {
    const std::size_t have = draft.ids_of(role).size();
    const std::uint32_t least = role == KeyRole::order ? 0 : 1;
    const std::uint32_t need = std::max(draft.threshold_of(role), least);
    if (have >= need) continue;
    throw refusal(
        "below_threshold",
        fmt::format("The list would have {} {} key{}, and {} must sign: the fleet could never "
                    "be updated again.",
                    have,
                    name_of(role),
                    have == 1 ? "" : "s",
                    need),
        "Add the new key first (or --replace REF with `otaria key revoke`), or lower the "
        "threshold.");
  }
}

}  // namespace

std::vector<std::string> KeyListDraft::ids_of(KeyRole role) const {
  std::vector<std::string> ids;
  for (const DraftKey& each : keys) {
    if (each.role == role) ids.push_back(each.key.key_id());
  }
  return ids;
}

const DraftKey* KeyListDraft::find(std::string_view key_id) const {
  for (const DraftKey& each : keys) {
    if (each.key.key_id() == key_id) return &each;
  }
  return nullptr;
}

std::string payload_of(const KeyListDraft& draft) {
  check_counts(draft);
  std::string payload = json_of(draft).dump(-1, ' ', false, Json::error_handler_t::replace);
  contract::KeyListHead head;
  KeyListDraft again;
  DraftVisitor visitor{again};
  const Defect defect = read_into(payload, head, visitor);
  if (defect != Defect::none || payload.size() > contract::key_list_kind.payload_bytes) {
    throw refusal("bad_key_list",
                  fmt::format("Devices would not read the list: {} ({} bytes, {} is the most).",
                              defect == Defect::none ? "too_long" : name_of(defect),
                              payload.size(),
                              contract::key_list_kind.payload_bytes),
                  "Check names of products and hosts, pins (base64url of 32 bytes) and times.");
  }
  return payload;
}

KeyListDraft draft_of(std::string_view payload) {
  KeyListDraft draft = view_of(payload);
  refuse_unknown_members(payload);
  return draft;
}

KeyListDraft view_of(std::string_view payload) {
  KeyListDraft draft;
  contract::KeyListHead head;
  DraftVisitor visitor{draft};
  const Defect defect = read_into(payload, head, visitor);
  if (defect != Defect::none) throw bad_list(std::string{name_of(defect)});
  draft.serial = head.serial;
  draft.epoch = head.epoch;
  draft.issued = head.issued;
  draft.expires = head.expires;
  draft.threshold = head.threshold;
  return draft;
}

KeyListText read_key_list_text(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) throw bad_list("the file is empty");
  if (text[first] != '{') {
    SignedText read = read_signed_text(contract::key_list_kind, text, "bad_key_list");
    return {std::move(read.payload), std::string{text}};
  }
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return {std::string{text.substr(first, last - first + 1)}, {}};
}

}  // namespace otaria::keys
