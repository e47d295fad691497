#include "contract/trust/manifest.hpp"

#include "contract/semver.hpp"
#include "contract/trust/strict_json.hpp"

namespace otaria::contract {
namespace {

using Event = StrictJson::Event;

enum Member : std::uint32_t {
  fmt,
  release,
  product,
  hardware,
  chip,
  version,
  build,
  size,
  sha256,
  security_counter,
  issued,
  expires,
  keys,
  min_version,
  channel,
  crit,
  unknown,
};

constexpr std::array<std::string_view, unknown> member_names{"fmt",
                                                             "release",
                                                             "product",
                                                             "hardware",
                                                             "chip",
                                                             "version",
                                                             "build",
                                                             "size",
                                                             "sha256",
                                                             "security_counter",
                                                             "issued",
                                                             "expires",
                                                             "keys",
                                                             "min_version",
                                                             "channel",
                                                             "crit"};

constexpr std::uint32_t bit(Member member) {
  return 1U << member;
}
constexpr std::uint32_t required = bit(fmt) | bit(release) | bit(product) | bit(chip) |
                                   bit(version) | bit(build) | bit(size) | bit(sha256) |
                                   bit(security_counter) | bit(issued) | bit(expires) | bit(keys);

Member member_named(std::string_view name) {
  for (std::uint32_t i = 0; i < unknown; ++i) {
    if (member_names[i] == name) return static_cast<Member>(i);
  }
  return unknown;
}

bool is_plain_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_device_id_character(c) && c != '.') return false;
  }
  return true;
}

/// One reading of a payload.
class Reader {
 public:
  Reader(ByteSource& payload, Manifest& manifest) : json_{payload, text_}, manifest_{manifest} {}

  ManifestReading run() {
    manifest_ = {};
    if (json_.next() == Event::object_begin) {
      Event event = json_.next();
      while (event == Event::member && take_member()) event = json_.next();
      if (event == Event::object_end) json_.next();
    }
    if (reading_.defect == Defect::none) reading_.defect = json_.defect();
    if (reading_.ok()) reading_.defect = judge_whole();
    return reading_;
  }

 private:
  bool take_member() {
    const Member member = member_named(json_.text());
    if (member == unknown) return json_.skip();
    seen_ |= bit(member);
    Defect defect = Defect::none;
    if (member == hardware || member == crit) {
      defect = take_array(member);
    } else if (std::uint32_t* number = number_of(member)) {
      defect = take_number(*number);
    } else {
      defect = take_string(member);
    }
    if (defect != Defect::none && reading_.defect == Defect::none) reading_.defect = defect;
    return defect == Defect::none;
  }

  std::uint32_t* number_of(Member member) {
    switch (member) {
      case fmt:
        return &reading_.format;
      case size:
        return &manifest_.size;
      case security_counter:
        return &manifest_.security_counter;
      case issued:
        return &manifest_.issued;
      case expires:
        return &manifest_.expires;
      case keys:
        return &manifest_.keys;
      default:
        return nullptr;
    }
  }

  Defect take_number(std::uint32_t& into) {
    const Event event = json_.next();
    if (event == Event::defect) return json_.defect();
    if (event != Event::integer) return Defect::wrong_type;
    into = json_.integer();
    return Defect::none;
  }

  Defect take_string(Member member) {
    const Event event = json_.next();
    if (event == Event::defect) return json_.defect();
    if (event != Event::string) return Defect::wrong_type;
    if (json_.text_too_long()) return Defect::too_long;
    return judge_string(member, json_.text());
  }

  template <std::size_t Capacity>
  static Defect keep(Text<Capacity>& into, std::string_view text, bool valid) {
    if (text.size() > Capacity) return Defect::too_long;
    if (!valid) return Defect::bad_value;
    into.assign(text);
    return Defect::none;
  }

  Defect judge_string(Member member, std::string_view text) {
    switch (member) {
      case release:
        return keep(manifest_.release, text, is_ulid(text));
      case product:
        return keep(manifest_.product, text, is_plain_name(text));
      case chip:
        return keep(manifest_.chip, text, is_plain_name(text));
      case version:
        return keep(manifest_.version, text, parse_semver(text).has_value());
      case min_version:
        return keep(manifest_.min_version, text, parse_semver(text).has_value());
      case channel:
        return keep(manifest_.channel, text, is_plain_name(text));
      case build:
        return keep(manifest_.build, text, is_build(text));
      default: {
        const auto digest = digest_from_hex(text);
        if (!digest) return Defect::bad_value;
        manifest_.digest = *digest;
        return Defect::none;
      }
    }
  }

  static bool is_build(std::string_view text) {
    for (const char c : text) {
      if (hex_value(c) < 0) return false;
    }
    return text.size() == build_text_bytes;
  }

  Defect take_array(Member member) {
    const Event begin = json_.next();
    if (begin == Event::defect) return json_.defect();
    if (begin != Event::array_begin) return Defect::wrong_type;
    for (Event event = json_.next(); event != Event::array_end; event = json_.next()) {
      if (event == Event::defect) return json_.defect();
      if (event != Event::string) return Defect::wrong_type;
      const Defect defect = member == crit ? take_critical() : take_hardware();
      if (defect != Defect::none) return defect;
    }
    // RFC 7515, section 4.1.11 refuses an empty list of critical names; none for no hardware at all
    // would be an image for nobody.
    const bool empty = member == crit ? !critical_ : manifest_.hardware_count == 0;
    return empty ? Defect::bad_value : Defect::none;
  }

  Defect take_hardware() {
    if (json_.text_too_long()) return Defect::too_long;
    if (manifest_.hardware_count == max_manifest_hardware) return Defect::too_many_values;
    return keep(
        manifest_.hardware[manifest_.hardware_count++], json_.text(), is_plain_name(json_.text()));
  }

  // A member that is known is understood; each other one asks for what we cannot do.
  Defect take_critical() {
    critical_ = true;
    const bool known = !json_.text_too_long() && member_named(json_.text()) != unknown;
    if (!known) reading_.too_new = true;
    return Defect::none;
  }

  [[nodiscard]] Defect judge_whole() {
    if ((seen_ & required) != required) {
      // A newer format may lack what this one requires.
      if ((seen_ & bit(fmt)) == 0 || reading_.format <= manifest_format) {
        return Defect::missing_member;
      }
    }
    if (reading_.format > manifest_format) {
      reading_.too_new = true;
      return Defect::none;
    }
    if (reading_.format == 0 || manifest_.size == 0) return Defect::bad_value;
    return manifest_.expires > manifest_.issued ? Defect::none : Defect::bad_value;
  }

  std::array<char, StrictJson::longest_data_name> text_{};
  StrictJson json_;
  Manifest& manifest_;
  ManifestReading reading_;
  std::uint32_t seen_ = 0;
  bool critical_ = false;
};

}  // namespace

bool is_product_name(std::string_view text) {
  return text.size() <= max_name_bytes && is_plain_name(text);
}

ManifestReading read_manifest(ByteSource& payload, Manifest& manifest) {
  return Reader{payload, manifest}.run();
}

}  // namespace otaria::contract
