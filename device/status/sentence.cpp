#include "device/status/sentence.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "contract/defect.hpp"
#include "contract/trust/signed_file.hpp"
#include "device/ports/system.hpp"

namespace otaria::device {
namespace {

/// Which errors of its fault a row is for; such rows stand before the general one.
enum class Only : std::uint8_t {
  always,
  without_http_status,
  for_the_whole_file,
  of_manifest,
  of_plain_http,
  of_build,
  of_newer_manifest,
  of_one_key,
  of_signed_file,
  with_figure,
  with_key,
  with_text,
  above,
};

// A chip id of an image header has 16 bits.
constexpr std::int64_t largest_number = 0xFFFF;

struct Words {
  Fault fault;
  /// %f and %e stand for found and expected, %t and %r for the target and the running version, %d,
  /// %j and %s for found as the name of a contract::Defect, a contract::SignedDefect and a
  /// ResetReason, %k for found as a key id, %b and %B for both as builds, %F and %E for them as
  /// short texts, %L for both as one, %m for the member of a notice, %p, %h and %c for the device's
  /// product, hardware and channel.
  std::string_view detail;
  std::string_view hint;
  Only only = Only::always;

  [[nodiscard]] bool fits(const Error& error) const {
    if (fault != error.fault) return false;
    switch (only) {
      case Only::without_http_status:
        return error.found == 0;
      case Only::for_the_whole_file:
        return error.expected == whole_file;
      case Only::of_manifest:
        return error.expected == of_the_manifest;
      case Only::of_plain_http:
        return error.expected == plain_http_url;
      case Only::of_build:
        return tag_of(error.found) == static_cast<std::uint8_t>(Member::build);
      case Only::of_one_key:
        return error.expected == by_one_key;
      case Only::of_signed_file:
        return error.expected == not_a_signed_file;
      case Only::of_newer_manifest:
      case Only::with_figure:
        return error.expected > 0;
      case Only::with_key:
        return error.found != 0;
      case Only::with_text:
        return error.found > largest_number;
      case Only::above:
        return error.found > error.expected;
      case Only::always:
        break;
    }
    return true;
  }
};

constexpr std::array words{
    // clang-format off
  Words{Fault::bad_notice,          "an http URL, and a production device takes https ones only", "send https URLs, or provision the device with --plain-http", Only::of_plain_http},
  Words{Fault::bad_notice,          "the manifest cannot be read (%d)", "sign the release again with otaria release sign", Only::of_manifest},
  Words{Fault::bad_notice,          "the manifest asks for more than this agent knows (format %f, it reads %e): the agent is too old", "send a release first whose agent reads it", Only::of_newer_manifest},
  Words{Fault::bad_notice,          "the notice cannot be read (%d)", "send version, url and signature as JSON; docs/spec/contract.md"},
  Words{Fault::not_newer,           "%t is not newer than %r, which runs", "publish a higher version, or send it with force"},
  Words{Fault::wrong_product,       "the release is for product %L, this device is %p", "choose the release of this device's product", Only::with_text},
  Words{Fault::wrong_product,       "the image is for another product", "choose the release of this device's product"},
  Words{Fault::wrong_hardware,      "the release is for hardware %L, this device has %h", "choose the build for this device's hardware", Only::with_text},
  Words{Fault::wrong_hardware,      "the image is for other hardware", "choose the build for this device's hardware"},
  Words{Fault::wrong_channel,       "the release is for channel %L, this device is on '%c'", "move the device or the release to the other channel", Only::with_text},
  Words{Fault::wrong_channel,       "the release is for another channel", "move the device or the release to the other channel"},
  Words{Fault::step_required,       "%r runs, %t needs at least %L before it", "send the stepping-stone release first", Only::with_text},
  Words{Fault::step_required,       "%r is too old to go to %t in one step", "send the stepping-stone release first"},
  Words{Fault::bad_signature,       "the manifest's signature by key %k does not verify", "sign the release again with that key", Only::of_one_key},
  Words{Fault::bad_signature,       "the manifest is not a signed file (%j)", "look at what the manifest's URL delivers; otaria release show", Only::of_signed_file},
  Words{Fault::bad_signature,       "%f of %e needed signatures verify", "sign the release with more of the listed keys", Only::with_figure},
  Words{Fault::bad_signature,       "the manifest's signature does not verify", "sign the release again with a listed key"},
  Words{Fault::unknown_key,         "key list %f is in force, the manifest needs %e", "publish that key list", Only::with_figure},
  Words{Fault::unknown_key,         "no key list in force names the signing key %k for releases", "publish a key list with this key, or sign with a listed one", Only::with_key},
  Words{Fault::unknown_key,         "no key list in force names the signing key", "publish a key list with this key, or sign with a listed one"},
  Words{Fault::revoked_key,         "the signing key %k is revoked", "sign the release with a key in force", Only::with_key},
  Words{Fault::revoked_key,         "the signing key is revoked", "sign the release with a key in force"},
  Words{Fault::manifest_required,   "a production device needs a signed manifest", "publish the release signed; three-field notices are for --development"},
  Words{Fault::manifest_mismatch,   "the image is of build %b..., the manifest is for %B...", "publish the image that the manifest was made for", Only::of_build},
  Words{Fault::manifest_mismatch,   "the notice has %m %F, the manifest %E", "send the notice that belongs to this manifest", Only::with_text},
  Words{Fault::manifest_mismatch,   "notice and manifest differ", "send the notice that belongs to this manifest"},
  Words{Fault::manifest_expired,    "the manifest expired at %e, it is %f at least (Unix seconds)", "sign the release again", Only::with_figure},
  Words{Fault::manifest_expired,    "the manifest has expired", "sign the release again"},
  Words{Fault::notice_expired,      "the deadline %e passed, it is %f", "send the update again with a later deadline"},
  Words{Fault::security_counter,    "security counter %f, at most %e is allowed", "raise the counter by steps of at most 256", Only::above},
  Words{Fault::security_counter,    "security counter %f, at least %e is required", "publish with a counter that is high enough"},
  Words{Fault::too_large,           "%f bytes, at most %e fit or were announced", "build a smaller image, or correct the size in the notice"},
  Words{Fault::not_an_image,        "not an ESP application image (found %f where %e belongs)", "look at what the URL delivers; otaria image inspect"},
  Words{Fault::wrong_chip,          "the release is for the chip %F, this one is %E", "publish the build for this chip", Only::with_text},
  Words{Fault::wrong_chip,          "the image is for chip id %f, this chip is %e", "publish the build for this chip"},
  Words{Fault::download_failed,     "no whole answer came from the server (%e bytes in hand)", "look at the URL, the network and, for https, the certificate", Only::without_http_status},
  Words{Fault::download_failed,     "the download ended early or was answered wrongly (HTTP %f; %e bytes in hand)", "look at the server, the URL and the network"},
  Words{Fault::range_ignored,       "the server ignored Range %f times", "serve the image from a server that knows Range"},
  Words{Fault::digest_mismatch,     "the SHA-256 of the %f bytes that arrived is not the announced one", "publish the image again; compare generate_firmware_hash with the notice", Only::for_the_whole_file},
  Words{Fault::digest_mismatch,     "the image's own length, checksum or hash is wrong (found %f, expected %e)", "the file is damaged: build it again; otaria image inspect"},
  Words{Fault::patch_base_mismatch, "the patch is for another image than the running one", "send the whole image"},
  Words{Fault::patch_corrupt,       "the patch is damaged at byte %f", "publish the patch again, or send the whole image"},
  Words{Fault::flash_failed,        "the flash failed at address %e (driver code %f)", "the chip may be worn out; replace the device if it repeats"},
  Words{Fault::boot_failed,         "%t did not come up (reset reason %s, its agent started %e times)", "look at the firmware's start; the previous version runs"},
  Words{Fault::self_test_failed,    "the self-test of %t failed after %f s", "look at the device's log; the previous version runs"},
  Words{Fault::trial_timeout,       "%t did not reach the broker and pass its self-test within %e s", "look at network and broker settings of the new firmware"},
  Words{Fault::power_lost,          "the power failed while %t was being started (%f times)", "send the update again when the supply is stable"},
  Words{Fault::withdrawn,           "the offer was withdrawn", "send the update again if it is still wanted"},
  Words{Fault::superseded,          "another notice came before %t was installed", "nothing to do: the newer notice counts"},
  Words{Fault::attempts_exhausted,  "%f attempts with this image failed, %e are allowed", "publish a mended image, or send it with force"},
  Words{Fault::battery_low,         "the battery is too low for an update", "charge the device; the update may be sent again"},
  Words{Fault::busy,                "the application said not now for %f s", "send the update again when the device is idle"},
    // clang-format on
};

class Composer {
 public:
  explicit Composer(std::span<char> memory) : memory_{memory} {}
  void text(std::string_view text) {
    for (char c : text) {
      if (size_ < memory_.size()) memory_[size_++] = c;
    }
  }
  void number(std::int64_t value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text({digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  /// The characters of a figure. What it holds came from outside: what is no plain character is not
  /// told.
  void figure(std::int64_t value) {
    for (const char c : characters_of(value)) {
      if (c == figure_cut) text("...");
      if (c > ' ' && c < 0x7F && c != '"' && c != '\\') text({&c, 1});
    }
  }
  void key(std::int64_t value) { hex(value, 0); }
  /// Without the tag.
  void build(std::int64_t value) { hex(value, 2); }
  [[nodiscard]] std::string_view view() const { return {memory_.data(), size_}; }

 private:
  void hex(std::int64_t value, std::size_t from_digit) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) {
      bytes[i] = static_cast<std::uint8_t>(value & 0xFF);
    }
    std::array<char, 16> digits{};
    contract::write_hex(bytes, digits.data());
    text({digits.data() + from_digit, digits.size() - from_digit});
  }

  std::span<char> memory_;
  std::size_t size_ = 0;
};

std::string_view defect_name(std::int64_t found) {
  constexpr auto count = static_cast<std::int64_t>(contract::defect_names.size());
  return found >= 0 && found < count ? contract::defect_names[static_cast<std::size_t>(found)]
                                     : "unknown defect";
}

std::string_view signed_defect_name(std::int64_t found) {
  const bool known =
      found >= 0 && found <= static_cast<std::int64_t>(contract::SignedDefect::medium_failed);
  return known ? name_of(static_cast<contract::SignedDefect>(found)) : "unknown defect";
}

std::string_view member_name(std::int64_t found) {
  constexpr std::array<std::string_view, 5> names{"member", "version", "digest", "size", "release"};
  const std::uint8_t tag = tag_of(found);
  return names[tag < names.size() ? tag : 0];
}

std::string_view reset_reason_name(std::int64_t found) {
  const bool known = found >= 0 && found <= static_cast<std::int64_t>(ResetReason::brownout);
  return name_of(known ? static_cast<ResetReason>(found) : ResetReason::unknown);
}

void compose_one(Composer& out, char placeholder, const Error& error, const ErrorContext& context) {
  switch (placeholder) {
    case 'f':
      return out.number(error.found);
    case 'e':
      return out.number(error.expected);
    case 'd':
      return out.text(defect_name(error.found));
    case 'j':
      return out.text(signed_defect_name(error.found));
    case 's':
      return out.text(reset_reason_name(error.found));
    case 'm':
      return out.text(member_name(error.found));
    case 'k':
      return out.key(error.found);
    case 'b':
      return out.build(error.found);
    case 'B':
      return out.build(error.expected);
    case 'F':
      return out.figure(error.found);
    case 'E':
      return out.figure(error.expected);
    case 'L':
      out.figure(error.found);
      return out.figure(error.expected);
    case 't':
      return out.text(context.target.empty() ? "the image" : context.target);
    case 'r':
      return out.text(context.running);
    case 'p':
      return out.text(context.product);
    case 'h':
      return out.text(context.hardware);
    case 'c':
      return out.text(context.channel);
    default:
      return;
  }
}

void compose(Composer& out,
             std::string_view pattern,
             const Error& error,
             const ErrorContext& context) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out.text(pattern.substr(i, 1));
    } else {
      compose_one(out, pattern[++i], error, context);
    }
  }
}

}  // namespace

Sentence tell(const Error& error, const ErrorContext& context, std::span<char> memory) {
  Composer detail{memory};
  for (const Words& entry : words) {
    if (!entry.fits(error)) continue;
    compose(detail, entry.detail, error, context);
    return {detail.view(), entry.hint};
  }
  detail.text("unknown fault");
  return {detail.view(), "report this with the device's log"};
}

}  // namespace otaria::device
