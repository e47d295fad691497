#include "operator/keys/signed_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

using contract::SignedDefect;

class LineCollector final : public contract::SignatureVisitor {
 public:
  explicit LineCollector(std::vector<SignerLine>& lines) : lines_{lines} {}
  bool on_signature(const contract::SignatureLine& line) override {
    lines_.push_back({std::string{line.key.view()},
                      line.algorithm,
                      line.digest,
                      {line.signature.begin(), line.signature.end()}});
    return true;
  }

 private:
  std::vector<SignerLine>& lines_;
};

/// crypto's signatures are verified before they come back; its errors are sentences already.
template <class Make>
std::string signed_line(Make make) {
  try {
    return make() + "\n";
  } catch (const crypto::CryptoError& error) {
    throw refusal("signing_failed",
                  fmt::format("{}.", error.what()),
                  "Nothing was written; check the key and try again.");
  }
}

void check_limits(const contract::SignedKind& kind, std::string_view text) {
  std::vector<SignerLine> lines;
  LineCollector collector{lines};
  crypto::Sha256Hasher hasher;
  contract::MemoryFile file{text};
  contract::PayloadPlace place;
  std::array<std::uint8_t, contract::largest_signature_bytes> signature{};
  const SignedDefect defect =
      contract::read_signed_file(kind, file, hasher, signature, collector, place);
  if (defect == SignedDefect::none) return;
  throw refusal(std::string{name_of(defect)},
                fmt::format("The signed file has {} bytes; a device reads {} and {} in its first "
                            "line.",
                            text.size(),
                            kind.file_bytes,
                            kind.first_line_bytes),
                "Take ES256 keys, or leave something out.");
}

}  // namespace

SignedText read_signed_text(const contract::SignedKind& kind,
                            std::string_view text,
                            std::string_view code) {
  SignedText read;
  LineCollector collector{read.lines};
  crypto::Sha256Hasher hasher;
  contract::MemoryFile file{text};
  contract::PayloadPlace place;
  std::array<std::uint8_t, contract::largest_signature_bytes> signature{};
  const SignedDefect defect =
      contract::read_signed_file(kind, file, hasher, signature, collector, place);
  std::optional<std::string> payload;
  if (defect == SignedDefect::none)
    payload = crypto::from_base64url(text.substr(place.offset, place.characters));
  if (!payload) {
    throw usage_error(std::string{code},
                      fmt::format("This is no signed file of type {}: {}.",
                                  kind.type,
                                  defect == SignedDefect::none ? "no payload" : name_of(defect)),
                      "Name the right file; it must be as it was written, byte for byte.");
  }
  read.payload = std::move(*payload);
  return read;
}

std::string first_signature(const contract::SignedKind& kind,
                            std::string_view payload,
                            crypto::Signer& signer) {
  std::string text = signed_line([&] { return crypto::compact_jws(kind.type, payload, signer); });
  check_limits(kind, text);
  return text;
}

std::string further_signature(const contract::SignedKind& kind,
                              std::string_view text,
                              crypto::Signer& signer,
                              std::string_view code) {
  const SignedText read = read_signed_text(kind, text, code);
  const std::string key_id = signer.public_key().key_id();
  const bool there = std::any_of(read.lines.begin(), read.lines.end(), [&](const auto& line) {
    return line.key_id == key_id;
  });
  if (there) {
    throw refusal("already_signed",
                  fmt::format("Key {} has signed this file already.", key_id),
                  "A key counts once: sign with another.");
  }
  if (read.lines.size() == kind.lines) {
    throw refusal("too_many_signatures",
                  fmt::format("The file has {} signatures; devices read no more.", kind.lines),
                  "It needs no further one.");
  }
  std::string longer{text};
  longer += signed_line([&] { return crypto::detached_jws(kind.type, read.payload, signer); });
  check_limits(kind, longer);
  return longer;
}

std::string payload_digest_text(std::string_view payload) {
  const auto hex = contract::hex_of(crypto::sha256(payload));
  return {hex.data(), hex.size()};
}

}  // namespace otaria::keys
