#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/text.hpp"
#include "contract/trust/base64url.hpp"
#include "contract/trust/byte_source.hpp"
#include "contract/trust/primitives.hpp"

/// Signed files: a compact JWS per line. The first holds the payload, each further one is a
/// detached JWS over the same payload by another key. No heap.
/// Source  RFC 7515, section 3.1 and appendix F; reference trust, sections 5.1, 5.2 and 6.
namespace otaria::contract {

/// Limits and name of one kind of signed file.
struct SignedKind {
  std::string_view type;  ///< `typ` of the protected header
  std::uint32_t file_bytes;
  std::uint32_t first_line_bytes;
  std::uint32_t payload_bytes;
  std::uint32_t lines;
};

inline constexpr SignedKind manifest_kind{"otaria-manifest+jws", 4096, 2048, 1024, 4};
inline constexpr SignedKind key_list_kind{"otaria-keys+jws", 8192, 6144, 4096, 4};
// One line each: what devices and the server say of themselves.
inline constexpr SignedKind enrolment_kind{"otaria-enrol+jws", 2048, 2048, 1024, 1};
inline constexpr SignedKind assertion_kind{"otaria-assertion+jwt", 2048, 2048, 1024, 1};
inline constexpr SignedKind audit_kind{"otaria-audit+jws", 2048, 2048, 1024, 1};

inline constexpr std::size_t key_id_characters = 16;
inline constexpr std::size_t max_signed_header_bytes = 160;  ///< decoded
using KeyId = Text<key_id_characters>;

/// 16 lower-case hex digits.
constexpr bool is_key_id(std::string_view text) {
  if (text.size() != key_id_characters) return false;
  for (const char c : text) {
    if (hex_value(c) < 0) return false;
  }
  return true;
}

/// First 16 hex digits of the SHA-256 over the DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) of a
/// key as the key list has it: X || Y, or PKCS#1 DER. Empty for a key that cannot be one.
KeyId key_id_of(Algorithm algorithm, std::span<const std::uint8_t> public_key, Hasher& hasher);

/// What is wrong with a signed file.
enum class SignedDefect : std::uint8_t {
  none,
  empty,             ///< no line
  too_long,          ///< file, first line, header or payload exceeds its limit
  too_many_lines,    ///< more signatures than are read
  not_compact_jws,   ///< not three base64url runs with two dots; blank line, CR, trailing data
  bad_header,        ///< not exactly alg, kid and typ, or one of them is malformed
  wrong_type,        ///< `typ` of another kind of file
  bad_algorithm,     ///< an `alg` we do not know; "none" among them
  payload_repeated,  ///< a further line that has a payload, or a first one that has none
  medium_failed,     ///< the file could not be read
};

/// Header and signature of one line.
struct SignatureLine {
  Algorithm algorithm = Algorithm::es256;
  KeyId key;
  Digest digest;  ///< of the signing input
  /// Empty when longer than the buffer the reader was given: of an algorithm that is not built in.
  std::span<const std::uint8_t> signature;
};

class SignatureVisitor {
 public:
  /// False ends the reading.
  virtual bool on_signature(const SignatureLine& line) = 0;

 protected:
  ~SignatureVisitor() = default;
};

/// Where the payload's text lies within a file.
struct PayloadPlace {
  std::uint32_t offset = 0;
  std::uint32_t characters = 0;  ///< base64url
};

/// Reads a whole signed file where it lies; the payload is not decoded, but its text is checked to
/// be base64url. `signature` is a buffer for one signature (64 bytes without PS256).
/// Errors   a SignedDefect; `none` when the visitor ended the reading.
SignedDefect read_signed_file(const SignedKind& kind,
                              FileSource& file,
                              Hasher& hasher,
                              std::span<std::uint8_t> signature,
                              SignatureVisitor& visitor,
                              PayloadPlace& payload);

/// SHA-256 of the decoded payload: the identity of what was signed. Signature bytes are none, ECDSA
/// being malleable.
Digest digest_of_payload(FileSource& file, const PayloadPlace& payload, Hasher& hasher);

/// Name for messages: "wrong_type" and the like.
std::string_view name_of(SignedDefect defect);

}  // namespace otaria::contract
