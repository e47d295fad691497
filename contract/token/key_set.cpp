#include "contract/token/key_set.hpp"

#include <algorithm>
#include <utility>

#include "contract/openssl/crypto.hpp"
#include "contract/trust/base64url.hpp"
#include "contract/trust/strict_json.hpp"

namespace otaria::token {
namespace {

using contract::StrictJson;
using Event = StrictJson::Event;

constexpr std::size_t coordinate_bytes = 32;
// The longest string that counts is a key id; longer ones are values we do not know.
constexpr std::size_t text_bytes = 128;

}  // namespace

/// One reading of a set.
class KeySetReader {
 public:
  explicit KeySetReader(std::string_view json) : bytes_{json}, json_{bytes_, text_} {}

  KeySet::Reading run() {
    if (!read_set()) {
      if (error_.empty()) error_ = "it is no JSON of the profile: " + defect_text();
      return {std::nullopt, error_};
    }
    if (set_.keys_.empty()) return {std::nullopt, "it holds no key of EC P-256 with a kid"};
    return {std::move(set_), {}};
  }

 private:
  /// One key as it stands there; what is not a string of a sensible length stays empty.
  struct Candidate {
    std::string type, curve, id, x, y;
    std::optional<std::string> use, algorithm;
  };

  [[nodiscard]] std::string defect_text() const {
    const auto defect = json_.defect();
    return std::string{contract::name_of(
        defect == contract::Defect::none ? contract::Defect::wrong_type : defect)};
  }

  bool fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  bool read_set() {
    if (json_.next() != Event::object_begin) return false;
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      if (json_.text() == "keys" ? !read_keys() : !json_.skip()) return false;
    }
    return event == Event::object_end && json_.next() == Event::end;
  }

  bool read_keys() {
    if (json_.next() != Event::array_begin) return false;
    Event event = json_.next();
    for (; event == Event::object_begin; event = json_.next()) {
      Candidate key;
      if (!read_key(key) || !keep(key)) return false;
    }
    return event == Event::array_end;
  }

  bool read_key(Candidate& key) {
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      const std::string_view name = json_.text();
      if (name == "d" || name == "k") return fail("it holds a private key: withdraw that key");
      if (!read_member(name, key)) return false;
    }
    return event == Event::object_end;
  }

  bool read_member(std::string_view name, Candidate& key) {
    if (name == "kty") return read_string(key.type);
    if (name == "crv") return read_string(key.curve);
    if (name == "kid") return read_string(key.id);
    if (name == "x") return read_string(key.x);
    if (name == "y") return read_string(key.y);
    if (name == "use") return read_string(key.use.emplace());
    if (name == "alg") return read_string(key.algorithm.emplace());
    return json_.skip();
  }

  bool read_string(std::string& into) {
    if (json_.next() != Event::string) return false;
    into = json_.text();
    return true;
  }

  bool keep(const Candidate& candidate) {
    if (candidate.type != "EC" || candidate.curve != "P-256") return true;
    if (candidate.use.value_or("sig") != "sig") return true;
    if (candidate.algorithm.value_or("ES256") != "ES256") return true;
    if (candidate.id.empty() || candidate.id.size() > KeySet::longest_key_id) return true;
    if (set_.find(candidate.id)) return fail("it names one kid twice");
    if (set_.size() == KeySet::max_keys) {
      return fail("it holds more than " + std::to_string(KeySet::max_keys) + " keys");
    }
    KeySet::Key key{candidate.id, {}};
    const auto x = std::span{key.point}.first<coordinate_bytes>();
    const auto y = std::span{key.point}.last<coordinate_bytes>();
    if (contract::base64url_decode(candidate.x, x) != coordinate_bytes ||
        contract::base64url_decode(candidate.y, y) != coordinate_bytes ||
        !crypto::is_valid({contract::Algorithm::es256, {key.point.begin(), key.point.end()}})) {
      return fail("a key's x and y are no point of P-256");
    }
    set_.keys_.push_back(std::move(key));
    return true;
  }

  std::array<char, text_bytes> text_{};
  contract::MemoryBytes bytes_;
  StrictJson json_;
  KeySet set_;
  std::string error_;
};

KeySet::Reading KeySet::parse(std::string_view json) {
  if (json.size() > max_bytes) {
    return {std::nullopt, "it is larger than " + std::to_string(max_bytes) + " bytes"};
  }
  return KeySetReader{json}.run();
}

std::optional<std::span<const std::uint8_t>> KeySet::find(std::string_view key_id) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id == key_id; });
  if (found == keys_.end()) return std::nullopt;
  return std::span<const std::uint8_t>{found->point};
}

}  // namespace otaria::token
