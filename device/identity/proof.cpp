#include "device/identity/proof.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "contract/device/json_writer.hpp"
#include "contract/trust/base64url.hpp"
#include "contract/trust/signed_file.hpp"

namespace otaria::device {
namespace {

/// Appends to memory of the caller; what does not fit makes it fail once and for all.
class Line {
 public:
  explicit Line(std::span<char> out) : out_{out} {}
  void base64url(std::span<const std::uint8_t> bytes) {
    if (!fits(contract::base64url_characters(bytes.size()))) return;
    length_ += contract::base64url_encode(bytes, out_.data() + length_);
  }
  void base64url(std::string_view text) {
    base64url(std::span{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  void dot() {
    if (fits(1)) out_[length_++] = '.';
  }
  [[nodiscard]] std::string_view text() const { return {out_.data(), length_}; }
  [[nodiscard]] std::size_t finish() const { return failed_ ? 0 : length_; }

 private:
  bool fits(std::size_t more) {
    if (more > out_.size() - length_) failed_ = true;
    return !failed_;
  }

  std::span<char> out_;
  std::size_t length_ = 0;
  bool failed_ = false;
};

}  // namespace

bool device_key_id(DeviceKey& key, contract::Hasher& hasher, std::span<char, 16> into) {
  std::array<std::uint8_t, DeviceKey::public_bytes> half{};
  if (!key.public_key(half)) return false;
  const contract::KeyId id = contract::key_id_of(contract::Algorithm::es256, half, hasher);
  std::copy_n(id.view().begin(), into.size(), into.begin());
  return true;
}

std::size_t write_proof(std::string_view type,
                        std::string_view payload,
                        DeviceKey& key,
                        contract::Hasher& hasher,
                        std::span<char> out) {
  std::array<char, 16> id{};
  if (!device_key_id(key, hasher, id)) return 0;
  std::array<char, contract::max_signed_header_bytes> header{};
  contract::JsonWriter json{header};
  json.begin_object();
  json.member("alg", contract::name_of(contract::Algorithm::es256));
  json.member("kid", std::string_view{id.data(), id.size()});
  json.member("typ", type);
  json.end_object();
  Line line{out};
  line.base64url(std::string_view{header.data(), json.finish()});
  line.dot();
  line.base64url(payload);
  if (json.finish() == 0 || line.finish() == 0) return 0;
  hasher.update(line.text());
  std::array<std::uint8_t, DeviceKey::signature_bytes> signature{};
  if (!key.sign(hasher.finish(), signature)) return 0;
  line.dot();
  line.base64url(signature);
  return line.finish();
}

}  // namespace otaria::device
