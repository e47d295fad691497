#include "contract/token/claims_reader.hpp"

#include <array>

#include "contract/token/topic_filter.hpp"
#include "contract/trust/strict_json.hpp"

namespace otaria::token {
namespace {

using contract::StrictJson;
using Event = StrictJson::Event;

/// What both readers do: an object's members, one after the other.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> json) : bytes_{json}, json_{bytes_, text_} {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 protected:
  ~Reader() = default;

  /// `take_member` reads the value of the member just named; false: it is not what it must be.
  template <class TakeMember>
  bool read_object(TakeMember take_member) {
    if (json_.next() != Event::object_begin) return false;
    Event event = json_.next();
    for (; event == Event::member; event = json_.next()) {
      if (!take_member(json_.text())) return false;
    }
    return event == Event::object_end && json_.next() == Event::end;
  }

  bool read_name(std::string& into) {
    if (json_.next() != Event::string) return false;
    const std::string_view text = json_.text();
    if (text.empty() || text.size() > longest_claim) return false;
    into = text;
    return true;
  }

  StrictJson& json() { return json_; }

 private:
  // No string of a token is longer than the token.
  std::array<char, longest_token> text_{};
  contract::MemoryBytes bytes_;
  StrictJson json_;
};

class HeaderReader final : Reader {
 public:
  using Reader::Reader;

  Refusal run(std::string& key_id) {
    const bool good = read_object([this](std::string_view name) { return take_member(name); });
    if (!good) return Refusal::bad_header;
    if (!is_es256_) return Refusal::wrong_algorithm;
    if (key_id_.empty()) return Refusal::unknown_key;
    key_id = key_id_;
    return Refusal::none;
  }

 private:
  // `crit`, `jwk`, `jku`, `x5c`, … and whatever will be invented: nothing else may stand there.
  bool take_member(std::string_view name) {
    if (name == "alg") {
      is_es256_ = json().next() == Event::string && json().text() == "ES256";
      return json().defect() == contract::Defect::none;
    }
    if (name == "typ") return json().next() == Event::string && json().text() == "JWT";
    if (name == "kid") return read_name(key_id_);
    return false;
  }

  bool is_es256_ = false;
  std::string key_id_;
};

class PayloadReader final : Reader {
 public:
  PayloadReader(std::span<const std::uint8_t> json, std::string_view audience, Payload& payload)
      : Reader{json}, audience_{audience}, payload_{payload}, claims_{payload.claims} {}

  Refusal run() {
    const bool good = read_object([this](std::string_view name) { return take_member(name); });
    return good ? Refusal::none : Refusal::bad_payload;
  }

 private:
  bool take_member(std::string_view name) {
    if (name == "iss") return read_name(payload_.issuer.emplace());
    if (name == "aud") return read_audience();
    if (name == "sub") return read_name(claims_.subject);
    if (name == "username") return read_name(claims_.username);
    if (name == "clientid") return read_name(claims_.client_id);
    if (name == "jti") return read_name(claims_.token_id);
    if (name == "iat") return read_seconds(payload_.issued);
    if (name == "exp") return read_seconds(payload_.expires);
    if (name == "nbf") return read_seconds(payload_.not_before);
    if (name == "acl") return read_acl();
    return json().skip();
  }

  bool read_seconds(std::optional<std::uint32_t>& into) {
    if (json().next() != Event::integer) return false;
    into = json().integer();
    return true;
  }

  bool read_audience() {
    payload_.has_audience = true;
    Event event = json().next();
    if (event == Event::string) {
      payload_.audience_fits = json().text() == audience_;
      return true;
    }
    if (event != Event::array_begin) return false;
    for (event = json().next(); event == Event::string; event = json().next()) {
      payload_.audience_fits = payload_.audience_fits || json().text() == audience_;
    }
    return event == Event::array_end;
  }

  bool bad_acl() {
    payload_.acl_is_good = false;
    return json().defect() == contract::Defect::none;
  }

  /// Passes over the rest of every container that was opened since `outside`.
  bool leave(std::size_t outside) {
    while (json().depth() > outside) {
      if (json().next() == Event::defect) return false;
    }
    return bad_acl();
  }

  // The object form only: EMQX's array form falls through where nothing fits.
  bool read_acl() {
    payload_.has_acl = true;
    const std::size_t outside = json().depth();
    if (json().next() != Event::object_begin) return leave(outside);
    Event event = json().next();
    for (; event == Event::member; event = json().next()) {
      const std::string_view name = json().text();
      const bool all = name == "all";
      const bool subscribe = all || name == "sub";
      const bool publish = all || name == "pub";
      if (!subscribe && !publish) return leave(outside);
      if (!read_filters(subscribe, publish)) return leave(outside);
    }
    return event == Event::object_end;
  }

  bool read_filters(bool subscribe, bool publish) {
    if (json().next() != Event::array_begin) return false;
    Event event = json().next();
    for (; event == Event::string; event = json().next()) {
      const std::string_view filter = json().text();
      if (!is_rule(filter)) return false;
      if (subscribe && !add(claims_.subscribe, filter)) return false;
      if (publish && !add(claims_.publish, filter)) return false;
    }
    return event == Event::array_end;
  }

  static bool add(std::vector<std::string>& filters, std::string_view filter) {
    if (filters.size() == max_filters) return false;
    filters.emplace_back(filter);
    return true;
  }

  std::string_view audience_;
  Payload& payload_;
  Claims& claims_;
};

}  // namespace

Refusal read_header(std::span<const std::uint8_t> json, std::string& key_id) {
  return HeaderReader{json}.run(key_id);
}

Refusal read_payload(std::span<const std::uint8_t> json,
                     std::string_view audience,
                     Payload& payload) {
  return PayloadReader{json, audience, payload}.run();
}

}  // namespace otaria::token
