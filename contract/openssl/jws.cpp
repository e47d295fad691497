#include "contract/openssl/crypto.hpp"

namespace otaria::crypto {
namespace {

// The members in the order of RFC 8785; none of the values needs an escape.
std::string header_of(std::string_view type, const PublicKey& key) {
  return base64url(R"({"alg":")" + std::string{contract::name_of(key.algorithm)} + R"(","kid":")" +
                   key.key_id() + R"(","typ":")" + std::string{type} + R"("})");
}

// A token that answers wrongly is noticed here, not in the field.
std::string signature_of(const std::string& input, Signer& signer) {
  const contract::Digest digest = sha256(input);
  const std::vector<std::uint8_t> signature = signer.sign(digest);
  OpenSslVerifier verifier;
  const PublicKey& key = signer.public_key();
  if (!verifier.verify(key.algorithm, key.bytes, digest, signature)) {
    throw CryptoError{"the signature made with key " + key.key_id() +
                      " does not verify: check that its public half belongs to it"};
  }
  return base64url(signature);
}

}  // namespace

std::string compact_jws(std::string_view type, std::string_view payload, Signer& signer) {
  const std::string input = header_of(type, signer.public_key()) + "." + base64url(payload);
  return input + "." + signature_of(input, signer);
}

std::string detached_jws(std::string_view type, std::string_view payload, Signer& signer) {
  const std::string header = header_of(type, signer.public_key());
  return header + ".." + signature_of(header + "." + base64url(payload), signer);
}

}  // namespace otaria::crypto
