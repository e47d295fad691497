#include "device/status/sentence.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "contract/defect.hpp"
#include "device/ports/system.hpp"

namespace otaria::device {
namespace {

enum class Only : std::uint8_t { always, without_http_status, for_the_whole_file };

struct Words {
  Fault fault;
  /// %f and %e stand for found and expected, %t and %r for the target and the running version, %d
  /// and %s for found as the name of a contract::Defect and of a ResetReason.
  std::string_view detail;
  std::string_view hint;
  Only only = Only::always;  ///< such a row stands before the general one of its fault

  [[nodiscard]] bool fits(const Error& error) const {
    if (fault != error.fault) return false;
    if (only == Only::without_http_status) return error.found == 0;
    if (only == Only::for_the_whole_file) return error.expected == whole_file;
    return true;
  }
};

constexpr std::array words{
    // clang-format off
  Words{Fault::bad_notice,          "the notice cannot be read (%d)", "send version, url and signature as JSON; docs/spec/contract.md"},
  Words{Fault::not_newer,           "%t is not newer than %r, which runs", "publish a higher version, or send it with force"},
  Words{Fault::wrong_product,       "the image is for another product", "choose the release of this device's product"},
  Words{Fault::wrong_hardware,      "the image is for other hardware", "choose the build for this device's hardware"},
  Words{Fault::wrong_channel,       "the release is for another channel", "move the device or the release to the other channel"},
  Words{Fault::step_required,       "%r is too old to go to %t in one step", "send the stepping-stone release first"},
  Words{Fault::bad_signature,       "the manifest's signature does not verify", "sign the release again with a listed key"},
  Words{Fault::unknown_key,         "no key list in force names the signing key", "publish a key list with this key, or sign with a listed one"},
  Words{Fault::revoked_key,         "the signing key is revoked", "sign the release with a key in force"},
  Words{Fault::manifest_required,   "a production device needs a signed manifest", "publish the release signed; three-field notices are for --development"},
  Words{Fault::manifest_mismatch,   "notice and manifest differ", "send the notice that belongs to this manifest"},
  Words{Fault::manifest_expired,    "the manifest has expired", "sign the release again"},
  Words{Fault::notice_expired,      "the deadline %e passed, it is %f", "send the update again with a later deadline"},
  Words{Fault::security_counter,    "security counter %f, at least %e is required", "publish with a counter that is high enough"},
  Words{Fault::too_large,           "%f bytes, at most %e fit or were announced", "build a smaller image, or correct the size in the notice"},
  Words{Fault::not_an_image,        "not an ESP application image (found %f where %e belongs)", "look at what the URL delivers; otaria image inspect"},
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
  [[nodiscard]] std::string_view view() const { return {memory_.data(), size_}; }

 private:
  std::span<char> memory_;
  std::size_t size_ = 0;
};

std::string_view defect_name(std::int64_t found) {
  constexpr auto count = static_cast<std::int64_t>(contract::defect_names.size());
  return found >= 0 && found < count ? contract::defect_names[static_cast<std::size_t>(found)]
                                     : "unknown defect";
}

std::string_view reset_reason_name(std::int64_t found) {
  const bool known = found >= 0 && found <= static_cast<std::int64_t>(ResetReason::brownout);
  return name_of(known ? static_cast<ResetReason>(found) : ResetReason::unknown);
}

void compose(Composer& out,
             std::string_view pattern,
             const Error& error,
             const ErrorContext& context) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out.text(pattern.substr(i, 1));
      continue;
    }
    ++i;
    if (pattern[i] == 'f') out.number(error.found);
    if (pattern[i] == 'e') out.number(error.expected);
    if (pattern[i] == 'd') out.text(defect_name(error.found));
    if (pattern[i] == 's') out.text(reset_reason_name(error.found));
    if (pattern[i] == 't') out.text(context.target.empty() ? "the image" : context.target);
    if (pattern[i] == 'r') out.text(context.running);
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
