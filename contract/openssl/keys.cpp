#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "contract/openssl/crypto.hpp"
#include "contract/openssl/handles.hpp"

namespace otaria::crypto {
namespace {

constexpr int rsa_bits = 3072;
constexpr std::size_t longest_key_file = std::size_t{64} * 1024;
// PBES2 with scrypt: 16 MiB per guess, half of what OpenSSL admits by itself when it reads the key
// again (RFC 7914; reference trust, section 16).
constexpr std::uint64_t scrypt_n = 1U << 14;
constexpr std::uint64_t scrypt_r = 8;
constexpr std::uint64_t scrypt_p = 1;
constexpr std::size_t scrypt_salt_bytes = 16;

EVP_PKEY* key_of(void* key) {
  return static_cast<EVP_PKEY*>(key);
}

PublicKey p256_half(EVP_PKEY* key) {
  std::array<char, 32> curve{};
  std::array<unsigned char, 1 + contract::es256_public_key_bytes> point{};
  std::size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(
          key, OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), curve.size(), nullptr) != 1 ||
      (std::string_view{curve.data()} != "prime256v1" &&
       std::string_view{curve.data()} != "P-256")) {
    throw CryptoError{"the key is on curve " + std::string{curve.data()} +
                      ", not P-256: make one with `otaria key create`"};
  }
  EVP_PKEY_set_utf8_string_param(key,
                                 OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                 OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
  if (EVP_PKEY_get_octet_string_param(
          key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(), &length) != 1 ||
      length != point.size()) {
    throw CryptoError{"OpenSSL gives no public half of the key"};
  }
  return {Algorithm::es256, {point.begin() + 1, point.end()}};
}

PublicKey rsa_half(EVP_PKEY* key) {
  if (EVP_PKEY_get_bits(key) != rsa_bits) {
    throw CryptoError{"the RSA key has " + std::to_string(EVP_PKEY_get_bits(key)) + " bits, not " +
                      std::to_string(rsa_bits) + ": make one with `otaria key create --alg PS256`"};
  }
  unsigned char* der = nullptr;
  const int length = i2d_PublicKey(key, &der);
  if (length <= 0) throw CryptoError{"OpenSSL gives no public half of the key"};
  PublicKey half{Algorithm::ps256, {der, der + length}};
  OPENSSL_free(der);
  return half;
}

int give_passphrase(char* into, int size, int writing, void* passphrase) {
  (void)writing;
  const auto& text = *static_cast<const std::string_view*>(passphrase);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(into, text.data(), text.size());
  return static_cast<int>(text.size());
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// A file descriptor that is closed.
class File {
 public:
  explicit File(int descriptor) : descriptor_{descriptor} {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string read_all(int descriptor, const std::filesystem::path& path) {
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw CryptoError{"cannot read " + path.string() + ": " + reason(errno)};
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > longest_key_file) throw CryptoError{path.string() + " is no key file"};
  }
}

WrappedKey wrapped(EVP_PKEY* key, std::string_view passphrase) {
  const PlainKey plain{EVP_PKEY2PKCS8(key)};
  std::vector<std::uint8_t> salt = random_bytes(scrypt_salt_bytes);
  AlgorithmHandle algorithm{PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(),
                                                  salt.data(),
                                                  static_cast<int>(salt.size()),
                                                  nullptr,
                                                  scrypt_n,
                                                  scrypt_r,
                                                  scrypt_p)};
  if (!plain || !algorithm) throw CryptoError{"OpenSSL cannot encrypt with scrypt and AES-256"};
  X509_SIG* sealed = PKCS8_set0_pbe(
      passphrase.data(), static_cast<int>(passphrase.size()), plain.get(), algorithm.get());
  if (sealed == nullptr) throw CryptoError{"OpenSSL cannot encrypt the key"};
  static_cast<void>(algorithm.release());  // the sealed key owns it now
  return WrappedKey{sealed};
}

}  // namespace

PublicKey public_half(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return p256_half(key);
  if (EVP_PKEY_is_a(key, "RSA") == 1) return rsa_half(key);
  throw CryptoError{"the key is neither P-256 nor RSA: make one with `otaria key create`"};
}

std::string PublicKey::key_id() const {
  Sha256Hasher hasher;
  return std::string{contract::key_id_of(algorithm, bytes, hasher).view()};
}

std::string PublicKey::base64url() const {
  return crypto::base64url(bytes);
}

std::string PublicKey::pem() const {
  const KeyHandle key = handle_of(*this);
  const BioHandle out{BIO_new(BIO_s_mem())};
  if (!key || !out || PEM_write_bio_PUBKEY(out.get(), key.get()) != 1) {
    throw CryptoError{"not a public key"};
  }
  return written(out.get());
}

std::optional<PublicKey> public_key_from_pem(std::string_view pem) {
  const BioHandle in = reading(pem);
  KeyHandle key;
  if (pem.find("CERTIFICATE-----") != std::string_view::npos) {
    const CertificateHandle certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  } else {
    key.reset(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
  }
  ERR_clear_error();
  if (!key) return std::nullopt;
  try {
    return public_half(key.get());
  } catch (const CryptoError&) {
    return std::nullopt;
  }
}

bool is_valid(const PublicKey& key) {
  const KeyHandle handle = handle_of(key);
  bool valid = false;
  if (handle) {
    const KeyContext context{EVP_PKEY_CTX_new(handle.get(), nullptr)};
    valid = context && EVP_PKEY_public_check(context.get()) == 1 &&
            (key.algorithm == Algorithm::es256 || EVP_PKEY_get_bits(handle.get()) == rsa_bits);
  }
  ERR_clear_error();
  return valid;
}

PrivateKey::PrivateKey(void* key) : key_{key} {
  try {
    public_ = public_half(key_of(key));
  } catch (...) {
    EVP_PKEY_free(key_of(key));
    throw;
  }
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept
    : key_{std::exchange(other.key_, nullptr)}, public_{std::move(other.public_)} {}

PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  std::swap(key_, other.key_);
  std::swap(public_, other.public_);
  return *this;
}

PrivateKey::~PrivateKey() {
  EVP_PKEY_free(key_of(key_));
}

PrivateKey PrivateKey::generate(Algorithm algorithm) {
  EVP_PKEY* key = algorithm == Algorithm::ps256 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits))
                                                : EVP_EC_gen("P-256");
  if (key == nullptr) throw CryptoError{"OpenSSL cannot make a key"};
  return PrivateKey{key};
}

PrivateKey PrivateKey::from_pem(std::string_view pem, std::string_view passphrase) {
  const bool encrypted = pem.find("ENCRYPTED") != std::string_view::npos;
  if (encrypted && passphrase.empty()) {
    throw CryptoError{"the key is encrypted: give its passphrase"};
  }
  const BioHandle in = reading(pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in.get(), nullptr, give_passphrase, &passphrase);
  ERR_clear_error();
  if (key == nullptr) {
    throw CryptoError{encrypted ? "the passphrase does not open the key"
                                : "no private key in PEM (PKCS#8): make one with `otaria key "
                                  "create`"};
  }
  return PrivateKey{key};
}

PrivateKey PrivateKey::from_file(const std::filesystem::path& path, std::string_view passphrase) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) throw CryptoError{"cannot open " + path.string() + ": " + reason(errno)};
  struct stat about {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    throw CryptoError{path.string() + " is no file"};
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw CryptoError{path.string() + " can be read by others: chmod 600 " + path.string()};
  }
  std::string pem = read_all(file.get(), path);
  try {
    PrivateKey key = from_pem(pem, passphrase);
    OPENSSL_cleanse(pem.data(), pem.size());
    return key;
  } catch (const CryptoError& error) {
    OPENSSL_cleanse(pem.data(), pem.size());
    throw CryptoError{path.string() + ": " + error.what()};
  }
}

std::vector<std::uint8_t> PrivateKey::sign(const contract::Digest& digest) {
  const KeyContext context{EVP_PKEY_CTX_new(key_of(key_), nullptr)};
  const bool rsa = public_.algorithm == Algorithm::ps256;
  std::vector<std::uint8_t> signature(contract::largest_signature_bytes);
  std::size_t length = signature.size();
  const bool made =
      context && EVP_PKEY_sign_init(context.get()) == 1 &&
      (!rsa || (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), 32) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1)) &&
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
      EVP_PKEY_sign(
          context.get(), signature.data(), &length, digest.bytes.data(), digest.bytes.size()) == 1;
  if (!made) throw CryptoError{"OpenSSL cannot sign with the key"};
  signature.resize(length);
  if (rsa) return signature;
  const unsigned char* at = signature.data();
  const EcSignature pair{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length))};
  std::vector<std::uint8_t> raw(contract::es256_signature_bytes);
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), 32) != 32 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + 32, 32) != 32) {
    throw CryptoError{"OpenSSL made a signature that is none"};
  }
  return raw;
}

std::string PrivateKey::pem(std::string_view passphrase) const {
  const BioHandle out{BIO_new(BIO_s_secmem())};
  const bool made =
      out && (passphrase.empty()
                  ? PEM_write_bio_PKCS8PrivateKey(
                        out.get(), key_of(key_), nullptr, nullptr, 0, nullptr, nullptr) == 1
                  : PEM_write_bio_PKCS8(out.get(), wrapped(key_of(key_), passphrase).get()) == 1);
  if (!made) throw CryptoError{"OpenSSL cannot write the key"};
  return written(out.get());
}

void write_secret_file(const std::filesystem::path& path, std::string_view content) {
  std::string name = path.string() + ".XXXXXX";
  const File file{::mkostemp(name.data(), O_CLOEXEC)};  // mode 0600
  if (file.get() < 0)
    throw CryptoError{"cannot write beside " + path.string() + ": " + reason(errno)};
  const auto fail = [&](int error) {
    ::unlink(name.c_str());
    throw CryptoError{"cannot write " + path.string() + ": " + reason(error)};
  };
  for (std::string_view rest = content; !rest.empty();) {
    const ssize_t put = ::write(file.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(errno);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file.get()) != 0 || ::rename(name.c_str(), path.c_str()) != 0) fail(errno);
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const File folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.get() >= 0) ::fsync(folder.get());
}

}  // namespace otaria::crypto
