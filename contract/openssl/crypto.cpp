#include "contract/openssl/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "contract/openssl/handles.hpp"
#include "contract/trust/base64url.hpp"

namespace otaria::crypto {
namespace {

constexpr std::size_t coordinate_bytes = 32;
constexpr int salt_bytes = 32;

KeyHandle p256_key(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != contract::es256_public_key_bytes) return nullptr;
  std::array<std::uint8_t, 1 + contract::es256_public_key_bytes> point{0x04};
  std::copy(bytes.begin(), bytes.end(), point.begin() + 1);
  char curve[] = "P-256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(
          context.get(), &key, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters.data())) !=
          1) {
    return nullptr;
  }
  return KeyHandle{key};
}

KeyHandle rsa_key(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  KeyHandle key{d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size()))};
  if (!key || at != der.data() + der.size()) return nullptr;
  return key;
}

// r || s to the DER that EVP wants; null when the length is wrong.
std::vector<unsigned char> der_signature(std::span<const std::uint8_t> raw) {
  if (raw.size() != contract::es256_signature_bytes) return {};
  const EcSignature pair{ECDSA_SIG_new()};
  BIGNUM* r = BN_bin2bn(raw.data(), coordinate_bytes, nullptr);
  BIGNUM* s = BN_bin2bn(raw.data() + coordinate_bytes, coordinate_bytes, nullptr);
  if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return {};
  std::vector<unsigned char> bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_bytes) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
}

}  // namespace

Sha256Hasher::Sha256Hasher() : context_{EVP_MD_CTX_new()} {
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(context);
    throw CryptoError{"OpenSSL offers no SHA-256: check its configuration (openssl.cnf)"};
  }
}

Sha256Hasher::~Sha256Hasher() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

void Sha256Hasher::update(std::span<const std::uint8_t> bytes) {
  if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) != 1) {
    throw CryptoError{"OpenSSL failed to go on with a SHA-256"};
  }
}

contract::Digest Sha256Hasher::finish() {
  contract::Digest digest;
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  if (EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) != 1 ||
      EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
    throw CryptoError{"OpenSSL failed to finish a SHA-256"};
  }
  return digest;
}

contract::Digest sha256(std::string_view text) {
  Sha256Hasher hasher;
  hasher.update(text);
  return hasher.finish();
}

bool OpenSslVerifier::supports(Algorithm algorithm) const {
  return algorithm == Algorithm::es256 || algorithm == Algorithm::ps256;
}

bool OpenSslVerifier::verify(Algorithm algorithm,
                             std::span<const std::uint8_t> public_key,
                             const contract::Digest& digest,
                             std::span<const std::uint8_t> signature) {
  const bool rsa = algorithm == Algorithm::ps256;
  const KeyHandle key = rsa ? rsa_key(public_key) : p256_key(public_key);
  bool valid = false;
  if (key) {
    const std::vector<unsigned char> der =
        rsa ? std::vector<unsigned char>(signature.begin(), signature.end())
            : der_signature(signature);
    const KeyContext context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    valid =
        context && !der.empty() && EVP_PKEY_verify_init(context.get()) == 1 &&
        (!rsa || use_pss(context.get())) &&
        EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
        EVP_PKEY_verify(
            context.get(), der.data(), der.size(), digest.bytes.data(), digest.bytes.size()) == 1;
  }
  ERR_clear_error();  // a refused signature is no error of this thread's next call
  return valid;
}

BioHandle reading(std::string_view text) {
  return BioHandle{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

KeyHandle handle_of(const PublicKey& key) {
  return key.algorithm == Algorithm::ps256 ? rsa_key(key.bytes) : p256_key(key.bytes);
}

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) {
    throw CryptoError{"the system gives no random numbers"};
  }
  return bytes;
}

std::string base64url(std::span<const std::uint8_t> bytes) {
  std::string text(contract::base64url_characters(bytes.size()), '\0');
  contract::base64url_encode(bytes, text.data());
  return text;
}

std::string base64url(std::string_view text) {
  return base64url(std::span{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes(text.size() * 3 / 4, '\0');
  const auto length = contract::base64url_decode(
      text, std::span{reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  if (!length) return std::nullopt;
  bytes.resize(*length);
  return bytes;
}

}  // namespace otaria::crypto
