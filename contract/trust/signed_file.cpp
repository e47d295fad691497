#include "contract/trust/signed_file.hpp"

#include <algorithm>

#include "contract/trust/strict_json.hpp"

namespace otaria::contract {
namespace {

constexpr std::array<std::string_view, 10> defect_texts{"none",
                                                        "empty",
                                                        "too_long",
                                                        "too_many_lines",
                                                        "not_compact_jws",
                                                        "bad_header",
                                                        "wrong_type",
                                                        "bad_algorithm",
                                                        "payload_repeated",
                                                        "medium_failed"};

// DER of SubjectPublicKeyInfo up to the key: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 },
// BIT STRING { 0x04 || X || Y } } (RFC 5480, section 2).
constexpr std::array<std::uint8_t, 27> p256_prefix{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
    0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

// SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { PKCS#1 DER } } (RFC 3279, section
// 2.3.1), for contents of 256 to 65,535 bytes.
KeyId rsa_key_id(std::span<const std::uint8_t> key, Hasher& hasher) {
  const auto bits = static_cast<std::uint16_t>(key.size() + 1);
  const auto whole = static_cast<std::uint16_t>(15 + 4 + bits);
  const std::array<std::uint8_t, 24> prefix{0x30,
                                            0x82,
                                            static_cast<std::uint8_t>(whole >> 8),
                                            static_cast<std::uint8_t>(whole & 0xFF),
                                            0x30,
                                            0x0D,
                                            0x06,
                                            0x09,
                                            0x2A,
                                            0x86,
                                            0x48,
                                            0x86,
                                            0xF7,
                                            0x0D,
                                            0x01,
                                            0x01,
                                            0x01,
                                            0x05,
                                            0x00,
                                            0x03,
                                            0x82,
                                            static_cast<std::uint8_t>(bits >> 8),
                                            static_cast<std::uint8_t>(bits & 0xFF),
                                            0x00};
  hasher.update(prefix);
  hasher.update(key);
  const Digest digest = hasher.finish();
  std::array<char, key_id_characters> text{};
  write_hex(std::span{digest.bytes}.first<key_id_characters / 2>(), text.data());
  KeyId id;
  id.assign({text.data(), text.size()});
  return id;
}

/// The characters of a file, one by one.
class Characters {
 public:
  explicit Characters(FileSource& file) : file_{&file} {}
  /// A character, or ByteSource::end or ::failed.
  int peek() {
    if (at_ == file_->size()) return ByteSource::end;
    if (at_ < window_at_ || at_ >= window_at_ + window_bytes_) {
      window_at_ = at_;
      window_bytes_ = std::min<std::uint32_t>(sizeof window_, file_->size() - at_);
      if (!file_->read(at_, std::span{window_}.first(window_bytes_))) {
        window_bytes_ = 0;
        return ByteSource::failed;
      }
    }
    return window_[at_ - window_at_];
  }
  void advance() { ++at_; }
  [[nodiscard]] std::uint32_t at() const { return at_; }
  void go_to(std::uint32_t offset) { at_ = offset; }

 private:
  FileSource* file_;
  std::array<std::uint8_t, 64> window_{};
  std::uint32_t window_at_ = 0;
  std::uint32_t window_bytes_ = 0;
  std::uint32_t at_ = 0;
};

/// One pass over a file.
class Reader {
 public:
  Reader(const SignedKind& kind,
         FileSource& file,
         Hasher& hasher,
         std::span<std::uint8_t> signature,
         PayloadPlace& payload)
      : kind_{kind},
        file_size_{file.size()},
        in_{file},
        hasher_{hasher},
        signature_{signature},
        payload_{payload} {}

  SignedDefect run(SignatureVisitor& visitor) {
    if (file_size_ == 0) return SignedDefect::empty;
    if (file_size_ > kind_.file_bytes) return SignedDefect::too_long;
    for (std::uint32_t line = 0; in_.at() < file_size_; ++line) {
      if (line == kind_.lines) return SignedDefect::too_many_lines;
      SignatureLine found;
      const std::uint32_t began = in_.at();
      const SignedDefect defect = read_line(line == 0, found);
      if (defect != SignedDefect::none) {
        hasher_.finish();
        return defect;
      }
      if (line == 0 && in_.at() - began > kind_.first_line_bytes) return SignedDefect::too_long;
      if (in_.peek() == '\n') in_.advance();
      if (!visitor.on_signature(found)) break;
    }
    return SignedDefect::none;
  }

 private:
  SignedDefect read_line(bool first, SignatureLine& line) {
    if (auto defect = header(line); defect != SignedDefect::none) return defect;
    if (auto defect = first ? payload() : detached(); defect != SignedDefect::none) return defect;
    line.digest = hasher_.finish();
    return signature(line);
  }

  /// Whether a dot comes next; it is passed over.
  SignedDefect dot() {
    const int c = in_.peek();
    if (c == ByteSource::failed) return SignedDefect::medium_failed;
    if (c != '.') return SignedDefect::not_compact_jws;
    in_.advance();
    return SignedDefect::none;
  }

  void hash(int c) {
    const auto byte = static_cast<std::uint8_t>(c);
    hasher_.update(std::span{&byte, 1});
  }

  SignedDefect header(SignatureLine& line) {
    std::array<std::uint8_t, max_signed_header_bytes> bytes{};
    std::array<char, base64url_characters(max_signed_header_bytes)> text{};
    std::size_t length = 0;
    int c = in_.peek();
    for (; c >= 0 && base64url_value(static_cast<char>(c)) >= 0; c = in_.peek()) {
      if (length == text.size()) return SignedDefect::too_long;
      text[length++] = static_cast<char>(c);
      in_.advance();
    }
    if (auto defect = dot(); defect != SignedDefect::none) return defect;
    const std::string_view characters{text.data(), length};
    const auto decoded = base64url_decode(characters, bytes);
    if (!decoded || *decoded == 0) return SignedDefect::not_compact_jws;
    hasher_.update(characters);
    hasher_.update(".");
    return judge_header(std::span{bytes}.first(*decoded), line);
  }

  SignedDefect judge_header(std::span<const std::uint8_t> bytes, SignatureLine& line) const;

  SignedDefect payload() {
    Base64UrlDecoder decoder;
    std::uint32_t bytes = 0;
    payload_ = {in_.at(), 0};
    int c = in_.peek();
    for (; c >= 0 && c != '.'; c = in_.peek()) {
      const auto pushed = decoder.push(static_cast<char>(c));
      if (pushed == Base64UrlDecoder::Push::bad) return SignedDefect::not_compact_jws;
      if (pushed == Base64UrlDecoder::Push::byte && ++bytes > kind_.payload_bytes) {
        return SignedDefect::too_long;
      }
      hash(c);
      in_.advance();
    }
    payload_.characters = in_.at() - payload_.offset;
    if (auto defect = dot(); defect != SignedDefect::none) return defect;
    if (payload_.characters == 0) return SignedDefect::payload_repeated;
    return decoder.may_end() ? SignedDefect::none : SignedDefect::not_compact_jws;
  }

  // The signing input of a detached line has the payload of the first.
  SignedDefect detached() {
    const int c = in_.peek();
    if (c >= 0 && base64url_value(static_cast<char>(c)) >= 0) return SignedDefect::payload_repeated;
    if (auto defect = dot(); defect != SignedDefect::none) return defect;
    const std::uint32_t back = in_.at();
    in_.go_to(payload_.offset);
    for (std::uint32_t i = 0; i < payload_.characters; ++i) {
      const int character = in_.peek();
      if (character < 0) return SignedDefect::medium_failed;
      hash(character);
      in_.advance();
    }
    in_.go_to(back);
    return SignedDefect::none;
  }

  SignedDefect signature(SignatureLine& line) {
    Base64UrlDecoder decoder;
    std::size_t bytes = 0;
    int c = in_.peek();
    for (; c >= 0 && c != '\n'; c = in_.peek()) {
      const auto pushed = decoder.push(static_cast<char>(c));
      if (pushed == Base64UrlDecoder::Push::bad) return SignedDefect::not_compact_jws;
      in_.advance();
      if (pushed == Base64UrlDecoder::Push::more) continue;
      if (bytes == largest_signature_bytes) return SignedDefect::too_long;
      if (bytes < signature_.size()) signature_[bytes] = decoder.take_byte();
      ++bytes;
    }
    if (c == ByteSource::failed) return SignedDefect::medium_failed;
    if (bytes == 0 || !decoder.may_end()) return SignedDefect::not_compact_jws;
    if (bytes <= signature_.size()) line.signature = signature_.first(bytes);
    return SignedDefect::none;
  }

  const SignedKind& kind_;
  std::uint32_t file_size_;
  Characters in_;
  Hasher& hasher_;
  std::span<std::uint8_t> signature_;
  PayloadPlace& payload_;
};

// Exactly alg, kid and typ: a member that would ask for more must not be passed over (RFC 8725,
// sections 3.1 and 3.11).
SignedDefect Reader::judge_header(std::span<const std::uint8_t> bytes, SignatureLine& line) const {
  MemoryBytes source{bytes};
  std::array<char, 64> text{};
  StrictJson json{source, text};
  bool has_algorithm = false;
  bool has_type = false;
  bool known_algorithm = true;
  bool right_type = true;
  if (json.next() != StrictJson::Event::object_begin) return SignedDefect::bad_header;
  for (auto event = json.next(); event != StrictJson::Event::object_end; event = json.next()) {
    if (event != StrictJson::Event::member) return SignedDefect::bad_header;
    const bool algorithm = json.text() == "alg";
    const bool key = json.text() == "kid";
    const bool type = json.text() == "typ";
    if ((!algorithm && !key && !type) || json.next() != StrictJson::Event::string) {
      return SignedDefect::bad_header;
    }
    if (algorithm) {
      has_algorithm = true;
      const auto known = algorithm_from(json.text());
      known_algorithm = known.has_value();
      line.algorithm = known.value_or(Algorithm::es256);
    } else if (key) {
      if (!is_key_id(json.text())) return SignedDefect::bad_header;
      line.key.assign(json.text());
    } else {
      has_type = true;
      right_type = json.text() == kind_.type;
    }
  }
  if (json.next() != StrictJson::Event::end) return SignedDefect::bad_header;
  if (!has_algorithm || !has_type || line.key.empty()) return SignedDefect::bad_header;
  if (!right_type) return SignedDefect::wrong_type;
  return known_algorithm ? SignedDefect::none : SignedDefect::bad_algorithm;
}

}  // namespace

std::string_view name_of(SignedDefect defect) {
  return defect_texts[static_cast<std::size_t>(defect)];
}

Digest digest_of_payload(FileSource& file, const PayloadPlace& payload, Hasher& hasher) {
  Base64UrlBytes bytes{file, payload.offset, payload.characters};
  for (int c = bytes.next(); c >= 0; c = bytes.next()) {
    const auto byte = static_cast<std::uint8_t>(c);
    hasher.update(std::span{&byte, 1});
  }
  return hasher.finish();
}

KeyId key_id_of(Algorithm algorithm, std::span<const std::uint8_t> public_key, Hasher& hasher) {
  if (algorithm == Algorithm::ps256) {
    if (public_key.size() < 256 || public_key.size() > largest_public_key_bytes) return {};
    return rsa_key_id(public_key, hasher);
  }
  if (public_key.size() != es256_public_key_bytes) return {};
  hasher.update(p256_prefix);
  hasher.update(public_key);
  const Digest digest = hasher.finish();
  std::array<char, key_id_characters> text{};
  write_hex(std::span{digest.bytes}.first<key_id_characters / 2>(), text.data());
  KeyId id;
  id.assign({text.data(), text.size()});
  return id;
}

SignedDefect read_signed_file(const SignedKind& kind,
                              FileSource& file,
                              Hasher& hasher,
                              std::span<std::uint8_t> signature,
                              SignatureVisitor& visitor,
                              PayloadPlace& payload) {
  return Reader{kind, file, hasher, signature, payload}.run(visitor);
}

}  // namespace otaria::contract
