#include "operator/keys/key_file.hpp"

#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

constexpr std::string_view encrypted_label = "ENCRYPTED PRIVATE KEY";
constexpr std::string_view private_suffix = "PRIVATE KEY";
constexpr std::string_view public_label = "PUBLIC KEY";
constexpr std::string_view role_prefix = "Otaria key, role ";
constexpr std::uint64_t smallest_scrypt_n = 1U << 14;  // OpenSSL's own default

struct Block {
  std::string_view label;
  std::string_view text;  ///< with its lines BEGIN and END
};

/// The next PEM block (RFC 7468) at or after `from`; moves `from` past it. Nothing: no further one.
std::optional<Block> next_block(std::string_view text, std::size_t& from) {
  constexpr std::string_view begin = "-----BEGIN ";
  constexpr std::string_view dashes = "-----";
  const std::size_t start = text.find(begin, from);
  if (start == std::string_view::npos) return std::nullopt;
  const std::size_t label_at = start + begin.size();
  const std::size_t label_end = text.find(dashes, label_at);
  if (label_end == std::string_view::npos || label_end - label_at > 64) return std::nullopt;
  const std::string_view label = text.substr(label_at, label_end - label_at);
  const std::string end = fmt::format("-----END {}-----", label);
  const std::size_t end_at = text.find(end, label_end);
  if (end_at == std::string_view::npos) return std::nullopt;
  from = end_at + end.size();
  return Block{label, text.substr(start, from - start)};
}

/// A key file taken apart; the views point into its text.
struct Parts {
  KeyFileFacts facts;
  std::string_view private_block;
};

KeyError format_error(const std::string& path, const std::string& why) {
  return usage_error(
      "key_format",
      fmt::format("{} {}.", path, why),
      "Convert it: openssl pkcs8 -topk8 -scrypt -in OLD -out NEW, or make one: otaria key create.");
}

void take_private(const std::string& path, const Block& block, Parts& parts) {
  if (parts.facts.has_private) throw format_error(path, "holds more than one private key");
  // RFC 1421 headers: the passphrase would be protected by one round of MD5.
  if (block.text.find("Proc-Type:") != std::string_view::npos)
    throw format_error(path, "is encrypted in the old way of OpenSSL, not by PKCS#8");
  parts.facts.has_private = true;
  parts.facts.encrypted = block.label == encrypted_label;
  parts.private_block = block.text;
}

Parts parts_of(const std::string& path, std::string_view text) {
  Parts parts;
  if (text.starts_with(role_prefix)) {
    const std::string_view rest = text.substr(role_prefix.size());
    parts.facts.role = contract::key_role_from(rest.substr(0, rest.find('\n')));
  }
  std::size_t at = 0;
  while (const auto block = next_block(text, at)) {
    if (block->label.ends_with(private_suffix)) {
      take_private(path, *block, parts);
    } else if (block->label == public_label || block->label == "CERTIFICATE") {
      if (!parts.facts.public_key)
        parts.facts.public_key = crypto::public_key_from_pem(block->text);
    }
  }
  if (!parts.facts.has_private && !parts.facts.public_key) {
    throw usage_error("no_key",
                      fmt::format("{} holds no key of P-256 or RSA with 3,072 bits in PEM.", path),
                      "Make one: otaria key create --role release --out FILE");
  }
  return parts;
}

SmallFile read_key_file(const std::string& path) {
  return read_small_file(path, "key_file", "key file", longest_key_file);
}

struct SealedFree {
  void operator()(X509_SIG* sealed) const { ::X509_SIG_free(sealed); }
};
struct Pbe2Free {
  void operator()(PBE2PARAM* parameters) const { ::PBE2PARAM_free(parameters); }
};
struct Pbkdf2Free {
  void operator()(PBKDF2PARAM* parameters) const { ::PBKDF2PARAM_free(parameters); }
};
struct ScryptFree {
  void operator()(SCRYPT_PARAMS* parameters) const { ::SCRYPT_PARAMS_free(parameters); }
};
struct BioFree {
  void operator()(BIO* bio) const { ::BIO_free_all(bio); }
};

template <class Value, class Free>
std::unique_ptr<Value, Free> unpacked(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  int type = 0;
  const void* value = nullptr;
  ::X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE || value == nullptr) return nullptr;
  return std::unique_ptr<Value, Free>{
      static_cast<Value*>(::ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), item))};
}

int algorithm_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  ::X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return ::OBJ_obj2nid(object);
}

bool derivation_is_strong(const X509_ALGOR* derivation) {
  if (algorithm_of(derivation) == NID_id_scrypt) {
    const auto scrypt =
        unpacked<SCRYPT_PARAMS, ScryptFree>(derivation, ASN1_ITEM_rptr(SCRYPT_PARAMS));
    std::uint64_t cost = 0;
    return scrypt && ::ASN1_INTEGER_get_uint64(&cost, scrypt->costParameter) == 1 &&
           cost >= smallest_scrypt_n;
  }
  if (algorithm_of(derivation) != NID_id_pbkdf2) return false;
  const auto pbkdf2 = unpacked<PBKDF2PARAM, Pbkdf2Free>(derivation, ASN1_ITEM_rptr(PBKDF2PARAM));
  if (!pbkdf2 || pbkdf2->prf == nullptr) return false;  // absent: HMAC-SHA-1
  const int hash = algorithm_of(pbkdf2->prf);
  const bool good_hash =
      hash == NID_hmacWithSHA256 || hash == NID_hmacWithSHA384 || hash == NID_hmacWithSHA512;
  return good_hash && ::ASN1_INTEGER_get(pbkdf2->iter) >= fewest_pbkdf2_rounds;
}

/// Whether a passphrase is slow enough to guess, by the parameters that stand in the clear.
bool encryption_is_strong(std::string_view block) {
  const std::unique_ptr<BIO, BioFree> in{
      ::BIO_new_mem_buf(block.data(), static_cast<int>(block.size()))};
  const std::unique_ptr<X509_SIG, SealedFree> sealed{
      ::PEM_read_bio_PKCS8(in.get(), nullptr, nullptr, nullptr)};
  ::ERR_clear_error();
  if (!sealed) return false;
  const X509_ALGOR* algorithm = nullptr;
  ::X509_SIG_get0(sealed.get(), &algorithm, nullptr);
  if (algorithm_of(algorithm) != NID_pbes2) return false;
  const auto scheme = unpacked<PBE2PARAM, Pbe2Free>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
  if (!scheme) return false;
  const int cipher = algorithm_of(scheme->encryption);
  const bool good_cipher = cipher == NID_aes_256_cbc || cipher == NID_aes_128_cbc;
  return good_cipher && derivation_is_strong(scheme->keyfunc);
}

void check_protection(const std::string& path, const Parts& parts, bool development) {
  if (!parts.facts.encrypted) {
    if (development) return;
    throw usage_error("key_not_encrypted",
                      fmt::format("The key in {} is not encrypted.", path),
                      "Encrypt it: openssl pkcs8 -topk8 -scrypt -in OLD -out NEW; --development "
                      "takes it as it is.");
  }
  if (encryption_is_strong(parts.private_block)) return;
  throw usage_error(
      "weak_encryption",
      fmt::format("The passphrase of {} is protected by less than scrypt, or PBKDF2 with {} rounds "
                  "of HMAC-SHA-256.",
                  path,
                  fewest_pbkdf2_rounds),
      "Encrypt it anew: openssl pkcs8 -topk8 -scrypt -in OLD -out NEW");
}

crypto::PrivateKey opened(const std::string& path,
                          const Parts& parts,
                          std::string_view passphrase) {
  try {
    return crypto::PrivateKey::from_pem(parts.private_block, passphrase);
  } catch (const crypto::CryptoError& error) {
    // OpenSSL says the same for a wrong passphrase and for a damaged key.
    const bool closed = std::string_view{error.what()}.find("passphrase") != std::string_view::npos;
    throw usage_error(
        closed ? "wrong_passphrase" : "unsuitable_key",
        fmt::format("{}: {}.", path, error.what()),
        closed ? "Try again; without the passphrase the key is lost." : "Name another key.");
  }
}

}  // namespace

KeyFileFacts look_into_key_file(const std::string& path) {
  SmallFile file = read_key_file(path);
  KeyFileFacts facts = parts_of(path, file.text).facts;
  if (facts.has_private) refuse_exposed(file, path, "key_file", "key file");
  wipe(file.text);
  return facts;
}

crypto::PrivateKey open_key_file(const std::string& path,
                                 const OpenOptions& options,
                                 std::size_t nth) {
  SmallFile file = read_key_file(path);
  const Secret held{std::move(file.text)};  // wiped however this ends
  const Parts parts = parts_of(path, held.view());
  if (!parts.facts.has_private) {
    throw usage_error("no_private_key",
                      fmt::format("{} holds a public key only.", path),
                      "Name the file of the private one.");
  }
  refuse_exposed(file, path, "key_file", "key file");
  check_protection(path, parts, options.development);
  const Secret passphrase =
      parts.facts.encrypted ? passphrase_for(options.secrets, path, nth) : Secret{};
  crypto::PrivateKey key = opened(path, parts, passphrase.view());
  const auto& claimed = parts.facts.public_key;
  if (claimed && (claimed->algorithm != key.public_key().algorithm ||
                  claimed->bytes != key.public_key().bytes)) {
    throw usage_error(
        "key_file_contradicts",
        fmt::format("{} says that it holds key {}, but it holds {}: the file was changed.",
                    path,
                    claimed->key_id(),
                    key.public_key().key_id()),
        "Find out who changed it before you trust a list that was made with it.");
  }
  return key;
}

std::string key_file_text(const crypto::PrivateKey& key,
                          contract::KeyRole role,
                          std::string_view passphrase) {
  std::string sealed = key.pem(passphrase);
  std::string text =
      fmt::format("{}{}\n{}{}", role_prefix, name_of(role), sealed, key.public_key().pem());
  wipe(sealed);
  return text;
}

}  // namespace otaria::keys
