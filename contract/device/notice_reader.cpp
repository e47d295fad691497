#include "contract/device/notice_reader.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "contract/json_text.hpp"
#include "contract/semver.hpp"
#include "contract/slice.hpp"
#include "contract/url.hpp"

// jsmn splits the text into tokens in our memory. It takes much that is no JSON (keys without
// values, stray commas, any word as a number), so check_json() has always passed before it runs.
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS  // closing a container is then one step, not a search
#include <jsmn.h>

namespace otaria::contract {
namespace {

enum class Member : std::uint8_t {
  version,
  url,
  signature,
  size,
  force,
  update,
  manifest,
  spread,
  not_before,
  deadline,
};
constexpr std::array<std::string_view, 10> member_names{"version",
                                                        "url",
                                                        "signature",
                                                        "size",
                                                        "force",
                                                        "update",
                                                        "manifest",
                                                        "spread",
                                                        "not_before",
                                                        "deadline"};
static_assert(member_names[static_cast<std::size_t>(Member::deadline)] == "deadline");

constexpr std::uint32_t bit_of(Member member) {
  return 1U << static_cast<unsigned>(member);
}

/// A JSON value: what jsmn calls it, and its text (of a string: between the quotes).
struct Value {
  jsmntype_t type;
  std::string_view text;
};

template <std::size_t Capacity>
Defect read_string(Value value, Text<Capacity>& into) {
  if (value.type != JSMN_STRING) return Defect::wrong_type;
  return decode_json_string(value.text, into);
}

/// A string that must also pass `is_valid`; left empty otherwise.
template <std::size_t Capacity, class Predicate>
Defect read_string(Value value, Text<Capacity>& into, Predicate is_valid) {
  const Defect defect = read_string(value, into);
  if (defect != Defect::none) return defect;
  if (is_valid(into.view())) return Defect::none;
  into.clear();
  return Defect::bad_value;
}

Defect read_digest(Value value, Digest& into) {
  Text<digest_text_bytes> text;
  Defect defect = read_string(value, text);
  if (defect == Defect::too_long) defect = Defect::bad_value;  // its length is part of its form
  if (defect != Defect::none) return defect;
  const auto digest = digest_from_hex(text.view());
  if (!digest) return Defect::bad_value;
  into = *digest;
  return Defect::none;
}

Defect read_number(Value value, std::uint32_t& into) {
  const char first = value.text.empty() ? '\0' : value.text.front();
  const bool is_number =
      value.type == JSMN_PRIMITIVE && (first == '-' || (first >= '0' && first <= '9'));
  if (!is_number) return Defect::wrong_type;
  std::uint64_t number = 0;
  for (char c : value.text) {
    if (c < '0' || c > '9') return Defect::out_of_range;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
    if (number > std::numeric_limits<std::uint32_t>::max()) return Defect::out_of_range;
  }
  into = static_cast<std::uint32_t>(number);
  return Defect::none;
}

Defect read_number(Value value, std::optional<std::uint32_t>& into) {
  std::uint32_t number = 0;
  const Defect defect = read_number(value, number);
  if (defect == Defect::none) into = number;
  return defect;
}

Defect read_boolean(Value value, bool& into) {
  if (value.type != JSMN_PRIMITIVE || (value.text != "true" && value.text != "false")) {
    return Defect::wrong_type;
  }
  into = value.text == "true";
  return Defect::none;
}

Defect read_member(Member member, Value value, Notice& notice) {
  switch (member) {
    case Member::version:
      return read_string(value, notice.version, [](std::string_view text) {
        return parse_semver(text).has_value();
      });
    case Member::url:
      return read_string(value, notice.url, is_url);
    case Member::signature:
      return read_digest(value, notice.digest);
    case Member::size:
      return read_number(value, notice.size);
    case Member::force:
      return read_boolean(value, notice.force);
    case Member::update:
      return read_string(value, notice.update, is_update_id);
    case Member::manifest:
      return read_string(value, notice.manifest, is_url);
    case Member::spread:
      return read_number(value, notice.spread_s);
    case Member::not_before:
      return read_number(value, notice.not_before);
    case Member::deadline:
      return read_number(value, notice.deadline);
  }
  return Defect::none;
}

std::optional<Member> member_named(std::string_view raw_name) {
  Text<16> name;
  if (decode_json_string(raw_name, name) != Defect::none) return std::nullopt;
  for (std::size_t i = 0; i < member_names.size(); ++i) {
    if (name == member_names[i]) return static_cast<Member>(i);
  }
  return std::nullopt;
}

/// Fills a reading from the members of a grammatical object.
class Reader {
 public:
  Reader(std::string_view payload, NoticeReading& reading) : payload_{payload}, reading_{reading} {}

  void run() {
    jsmn_parser parser;
    jsmn_init(&parser);
    const int count =
        jsmn_parse(&parser, payload_.data(), payload_.size(), tokens_.data(), max_notice_values);
    if (count == JSMN_ERROR_NOMEM) return note(Defect::too_many_values, {});
    if (count < 1) return note(Defect::not_json, {});
    read_members(static_cast<std::size_t>(count));
    for (Member required : {Member::version, Member::url, Member::signature}) {
      if ((seen_ & bit_of(required)) == 0) note(Defect::missing_member, name_of(required));
    }
    const Member identity =
        (seen_ & bit_of(Member::update)) != 0 ? Member::update : Member::signature;
    reading_.has_identity = (good_ & bit_of(identity)) != 0;
  }

 private:
  static std::string_view name_of(Member member) {
    return member_names[static_cast<std::size_t>(member)];
  }

  void note(Defect defect, std::string_view member) {
    if (reading_.defect != Defect::none) return;
    reading_.defect = defect;
    reading_.member.assign(member);
  }

  [[nodiscard]] std::string_view text_of(const jsmntok_t& token) const {
    return slice(payload_,
                 static_cast<std::size_t>(token.start),
                 static_cast<std::size_t>(token.end - token.start));
  }

  void read_members(std::size_t count) {
    std::size_t key = 1;
    while (key + 1 < count) {
      const jsmntok_t& value = tokens_[key + 1];
      if (const auto member = member_named(text_of(tokens_[key]))) {
        take(*member, {value.type, text_of(value)});
      }
      key += 2;
      while (key < count && tokens_[key].start < value.end) ++key;  // what is inside the value
    }
  }

  void take(Member member, Value value) {
    const std::uint32_t bit = bit_of(member);
    if ((seen_ & bit) != 0) {
      good_ &= ~bit;  // two ids are no id
      return note(Defect::duplicate_member, name_of(member));
    }
    seen_ |= bit;
    const Defect defect = read_member(member, value, reading_.notice);
    if (defect != Defect::none) return note(defect, name_of(member));
    good_ |= bit;
  }

  std::string_view payload_;
  NoticeReading& reading_;
  std::uint32_t seen_ = 0;  ///< members that stand there
  std::uint32_t good_ = 0;  ///< members that stand there once and are right
  std::array<jsmntok_t, max_notice_values> tokens_;
};

}  // namespace

NoticeReading read_notice(std::string_view payload) {
  NoticeReading reading;
  if (payload.size() > max_packet_bytes) {
    reading.defect = Defect::too_long;
    return reading;
  }
  const JsonCheck check = check_json(payload);
  reading.defect = check.defect;
  if (decode_json_string(check.member, reading.member) != Defect::none) reading.member.clear();
  if (!check.grammatical) return reading;
  if (payload[payload.find_first_not_of(" \t\r\n")] != '{') {
    reading.defect = Defect::not_an_object;
    return reading;
  }
  Reader{payload, reading}.run();
  return reading;
}

}  // namespace otaria::contract
