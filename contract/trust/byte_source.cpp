#include "contract/trust/byte_source.hpp"

#include <algorithm>

namespace otaria::contract {

int Base64UrlBytes::next() {
  while (at_ < end_) {
    if (window_bytes_ == 0 || at_ >= window_at_ + window_bytes_) {
      window_at_ = at_;
      window_bytes_ = std::min<std::uint32_t>(sizeof window_, end_ - at_);
      if (!file_->read(window_at_, {window_, window_bytes_})) {
        window_bytes_ = 0;
        return failed;
      }
    }
    const auto pushed = decoder_.push(static_cast<char>(window_[at_ - window_at_]));
    if (pushed == Base64UrlDecoder::Push::bad) return failed;
    ++at_;
    if (pushed == Base64UrlDecoder::Push::byte) return decoder_.take_byte();
  }
  return decoder_.may_end() ? end : failed;
}

}  // namespace otaria::contract
