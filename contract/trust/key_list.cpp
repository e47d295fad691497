#include "contract/trust/key_list.hpp"

#include <algorithm>

#include "contract/trust/strict_json.hpp"

namespace otaria::contract {
namespace {

using Event = StrictJson::Event;

// The longest string that counts: a public key in base64url.
constexpr std::size_t text_bytes = base64url_characters(largest_public_key_bytes);

enum Member : std::uint32_t {
  fmt = 1 << 0,
  serial = 1 << 1,
  epoch = 1 << 2,
  issued = 1 << 3,
  expires = 1 << 4,
  threshold = 1 << 5,
  keys = 1 << 6,
  other = 1 << 7,
};
constexpr std::uint32_t required = fmt | serial | epoch | issued | expires | threshold | keys;

/// One reading of a payload.
class Reader {
 public:
  Reader(ByteSource& payload, Hasher& hasher, KeyListHead& head, KeyListVisitor& visitor)
      : json_{payload, text_}, hasher_{hasher}, head_{head}, visitor_{visitor} {}

  Defect run() {
    head_ = {};
    if (json_.next() != Event::object_begin) return json_.defect();
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      if (const Defect defect = take_member(); defect != Defect::none) return defect;
    }
    if (event != Event::object_end || json_.next() != Event::end) return json_.defect();
    return judge_whole();
  }

 private:
  Defect take_member() {
    const std::string_view name = json_.text();
    if (name == "fmt") return take_number(fmt, format_);
    if (name == "serial") return take_number(serial, head_.serial);
    if (name == "epoch") return take_number(epoch, head_.epoch);
    if (name == "issued") return take_number(issued, head_.issued);
    if (name == "expires") return take_number(expires, head_.expires);
    if (name == "threshold") return take_thresholds();
    if (name == "keys") return take_keys();
    if (name == "revoked") return take_revoked();
    if (name == "floor") return take_floors();
    if (name == "pins") return take_pins();
    if (name == "crit") return take_critical();
    return json_.skip() ? Defect::none : json_.defect();
  }

  [[nodiscard]] Defect wrong(Event found) const {
    return found == Event::defect ? json_.defect() : Defect::wrong_type;
  }
  Defect expect(Event wanted) {
    const Event found = json_.next();
    return found == wanted ? Defect::none : wrong(found);
  }

  Defect take_number(Member member, std::uint32_t& into) {
    seen_ |= member;
    const Defect defect = expect(Event::integer);
    if (defect == Defect::none) into = json_.integer();
    return defect;
  }

  Defect take_thresholds() {
    seen_ |= threshold;
    if (const Defect defect = expect(Event::object_begin); defect != Defect::none) return defect;
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      const auto role = key_role_from(json_.text());
      if (const Defect defect = expect(Event::integer); defect != Defect::none) return defect;
      if (role) head_.threshold[static_cast<std::size_t>(*role)] = json_.integer();
    }
    return event == Event::object_end ? Defect::none : wrong(event);
  }

  Defect take_keys() {
    seen_ |= keys;
    if (const Defect defect = expect(Event::array_begin); defect != Defect::none) return defect;
    Event event = json_.next();
    for (; event == Event::object_begin; event = json_.next()) {
      if (const Defect defect = take_key(); defect != Defect::none) return defect;
    }
    return event == Event::array_end ? Defect::none : wrong(event);
  }

  Defect take_key() {
    ListedKey key;
    bool has_algorithm = false;
    std::size_t roles = 0;
    std::size_t bytes = 0;
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      const std::string_view name = json_.text();
      if (name == "roles") {
        if (const Defect defect = take_roles(key.role, roles); defect != Defect::none) {
          return defect;
        }
        continue;
      }
      const bool id = name == "kid";
      const bool algorithm = name == "alg";
      const bool pub = name == "pub";
      if (!id && !algorithm && !pub) {
        if (!json_.skip()) return json_.defect();
        continue;
      }
      if (const Defect defect = expect(Event::string); defect != Defect::none) return defect;
      if (json_.text_too_long()) return Defect::too_long;
      if (id) {
        if (!is_key_id(json_.text())) return Defect::bad_value;
        key.id.assign(json_.text());
      } else if (algorithm) {
        const auto known = algorithm_from(json_.text());
        if (!known) return Defect::bad_value;
        key.algorithm = *known;
        has_algorithm = true;
      } else {
        const auto decoded = base64url_decode(json_.text(), public_key_);
        if (!decoded || *decoded == 0) return Defect::bad_value;
        bytes = *decoded;
      }
    }
    if (event != Event::object_end) return wrong(event);
    if (key.id.empty() || !has_algorithm || bytes == 0 || roles == 0) return Defect::missing_member;
    key.public_key = std::span{public_key_}.first(bytes);
    return keep(key, roles);
  }

  Defect take_roles(KeyRole& role, std::size_t& count) {
    if (const Defect defect = expect(Event::array_begin); defect != Defect::none) return defect;
    Event event = json_.next();
    for (; event == Event::string; event = json_.next()) {
      const auto known = key_role_from(json_.text());
      if (!known) return Defect::bad_value;
      role = *known;
      ++count;
    }
    return event == Event::array_end ? Defect::none : wrong(event);
  }

  // A key has one role; its id must be its own; it stands there once.
  Defect keep(const ListedKey& key, std::size_t roles) {
    if (roles != 1) return Defect::bad_value;
    if (key_id_of(key.algorithm, key.public_key, hasher_) != key.id) return Defect::bad_value;
    for (std::uint32_t i = 0; i < key_count_; ++i) {
      if (key_ids_[i] == key.id) return Defect::bad_value;
    }
    if (key_count_ == max_key_list_keys) return Defect::too_many_values;
    key_ids_[key_count_++] = key.id;
    ++head_.keys[static_cast<std::size_t>(key.role)];
    visitor_.on_key(key);
    return Defect::none;
  }

  Defect take_revoked() {
    if (const Defect defect = expect(Event::array_begin); defect != Defect::none) return defect;
    Event event = json_.next();
    for (; event == Event::string; event = json_.next()) {
      if (!is_key_id(json_.text())) return Defect::bad_value;
      if (revoked_count_ == max_key_list_revoked) return Defect::too_many_values;
      revoked_[revoked_count_++].assign(json_.text());
      visitor_.on_revoked(json_.text());
    }
    return event == Event::array_end ? Defect::none : wrong(event);
  }

  Defect take_floors() {
    if (const Defect defect = expect(Event::object_begin); defect != Defect::none) return defect;
    json_.data_names();
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      Text<StrictJson::longest_data_name> product;
      product.assign(json_.text());
      if (const Defect defect = expect(Event::integer); defect != Defect::none) return defect;
      visitor_.on_floor(product.view(), json_.integer());
    }
    return event == Event::object_end ? Defect::none : wrong(event);
  }

  Defect take_pins() {
    if (const Defect defect = expect(Event::object_begin); defect != Defect::none) return defect;
    json_.data_names();
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      Text<StrictJson::longest_data_name> host;
      host.assign(json_.text());
      if (const Defect defect = take_pins_of(host.view()); defect != Defect::none) return defect;
    }
    return event == Event::object_end ? Defect::none : wrong(event);
  }

  Defect take_pins_of(std::string_view host) {
    if (const Defect defect = expect(Event::array_begin); defect != Defect::none) return defect;
    Event event = json_.next();
    for (; event == Event::string; event = json_.next()) {
      Digest pin;
      const auto decoded = base64url_decode(json_.text(), pin.bytes);
      if (!decoded || *decoded != pin.bytes.size()) return Defect::bad_value;
      visitor_.on_pin(host, pin);
    }
    return event == Event::array_end ? Defect::none : wrong(event);
  }

  // What must be understood and is not known to us makes the list unusable; members that we know
  // may stand there.
  Defect take_critical() {
    if (const Defect defect = expect(Event::array_begin); defect != Defect::none) return defect;
    constexpr std::array<std::string_view, 10> known{"fmt",
                                                     "serial",
                                                     "epoch",
                                                     "issued",
                                                     "expires",
                                                     "threshold",
                                                     "keys",
                                                     "revoked",
                                                     "floor",
                                                     "pins"};
    Event event = json_.next();
    for (; event == Event::string; event = json_.next()) {
      if (std::find(known.begin(), known.end(), json_.text()) == known.end()) {
        return Defect::bad_value;
      }
    }
    return event == Event::array_end ? Defect::none : wrong(event);
  }

  [[nodiscard]] Defect judge_whole() const {
    if ((seen_ & required) != required) return Defect::missing_member;
    if (format_ != key_list_format || head_.serial == 0) return Defect::bad_value;
    if (head_.expires <= head_.issued) return Defect::bad_value;
    if (head_.threshold_of(KeyRole::root) == 0 || head_.threshold_of(KeyRole::release) == 0) {
      return Defect::bad_value;
    }
    for (std::size_t role = 0; role < key_roles; ++role) {
      if (head_.keys[role] < head_.threshold[role]) return Defect::bad_value;
      // More signatures than a file has lines: nothing could ever satisfy it.
      if (head_.threshold[role] > key_list_kind.lines) return Defect::bad_value;
    }
    for (std::uint32_t i = 0; i < revoked_count_; ++i) {
      for (std::uint32_t k = 0; k < key_count_; ++k) {
        if (revoked_[i] == key_ids_[k]) return Defect::bad_value;
      }
    }
    return Defect::none;
  }

  std::array<char, text_bytes> text_{};
  std::array<std::uint8_t, largest_public_key_bytes> public_key_{};
  StrictJson json_;
  Hasher& hasher_;
  KeyListHead& head_;
  KeyListVisitor& visitor_;
  std::uint32_t seen_ = 0;
  std::uint32_t format_ = 0;
  std::array<KeyId, max_key_list_keys> key_ids_{};
  std::uint32_t key_count_ = 0;
  std::array<KeyId, max_key_list_revoked> revoked_{};
  std::uint32_t revoked_count_ = 0;
};

class NoVisitor final : public KeyListVisitor {};

class KeySeeker final : public KeyListVisitor {
 public:
  KeySeeker(std::string_view wanted, std::span<std::uint8_t> public_key, ListedKey& key)
      : wanted_{wanted}, public_key_{public_key}, key_{key} {}
  void on_key(const ListedKey& key) override {
    if (key.id != wanted_) return;
    standing_ = KeyStanding::listed;
    key_ = key;
    key_.public_key = {};
    if (key.public_key.size() > public_key_.size()) return;
    std::copy(key.public_key.begin(), key.public_key.end(), public_key_.begin());
    key_.public_key = public_key_.first(key.public_key.size());
  }
  void on_revoked(std::string_view key_id) override {
    if (key_id == wanted_) standing_ = KeyStanding::revoked;
  }
  [[nodiscard]] KeyStanding standing() const { return standing_; }

 private:
  std::string_view wanted_;
  std::span<std::uint8_t> public_key_;
  ListedKey& key_;
  KeyStanding standing_ = KeyStanding::unknown;
};

class FloorSeeker final : public KeyListVisitor {
 public:
  explicit FloorSeeker(std::string_view product) : product_{product} {}
  void on_floor(std::string_view product, std::uint32_t security_counter) override {
    if (product == product_) floor_ = security_counter;
  }
  [[nodiscard]] std::uint32_t floor() const { return floor_; }

 private:
  std::string_view product_;
  std::uint32_t floor_ = 0;
};

/// Reads the first line and passes over its signature.
class FirstLine final : public SignatureVisitor {
 public:
  bool on_signature(const SignatureLine& line) override {
    (void)line;
    return false;
  }
};

}  // namespace

Defect read_key_list(ByteSource& payload,
                     Hasher& hasher,
                     KeyListHead& head,
                     KeyListVisitor& visitor) {
  const Defect defect = Reader{payload, hasher, head, visitor}.run();
  if (defect != Defect::none) head = {};
  return defect;
}

bool KeyRing::open() {
  FirstLine first;
  payload_ = {};
  head_ = {};
  defect_ = Defect::none;
  signed_defect_ = read_signed_file(key_list_kind, *file_, *hasher_, {}, first, payload_);
  if (signed_defect_ != SignedDefect::none) return false;
  NoVisitor nobody;
  defect_ = walk(nobody);
  return defect_ == Defect::none;
}

Defect KeyRing::walk(KeyListVisitor& visitor) {
  Base64UrlBytes payload{*file_, payload_.offset, payload_.characters};
  KeyListHead head;
  const Defect defect = read_key_list(payload, *hasher_, head, visitor);
  // A medium that fails later must not take away the thresholds.
  if (defect == Defect::none) head_ = head;
  return defect;
}

KeyStanding KeyRing::find(std::string_view key_id,
                          std::span<std::uint8_t> public_key,
                          ListedKey& key) {
  KeySeeker seeker{key_id, public_key, key};
  return walk(seeker) == Defect::none ? seeker.standing() : KeyStanding::unknown;
}

Digest KeyRing::payload_digest() {
  return digest_of_payload(*file_, payload_, *hasher_);
}

std::uint32_t KeyRing::floor_of(std::string_view product) {
  FloorSeeker seeker{product};
  return walk(seeker) == Defect::none ? seeker.floor() : 0;
}

}  // namespace otaria::contract
